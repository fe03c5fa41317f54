#!lua flags=allow-oom
-- wake: make workers that wait for jobs look again.
--
-- Why a script: the bell must ring even when memory is full.
--
-- KEYS[1]  bell
--
-- Returns 1
ring(KEYS[1])
return 1
