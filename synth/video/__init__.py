"""Videos: pictures, narration, captions and music to an mp4, and the checks of a finished one."""
