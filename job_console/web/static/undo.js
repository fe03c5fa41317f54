// What is decided is sent after a while, so that it can be taken back; leaving the page sends it at once.

import { failed, notice } from "./notices.js";

const WINDOW_S = 10;
const waiting = new Set();

/**
 * Calls `act(keepalive)` after `seconds`, unless it is taken back first: then `back`. Returns an object whose `undo()`
 * takes it back and whose `now()` does it at once.
 */
export function later(sentence, act, { back = () => {}, seconds = WINDOW_S } = {}) {
  const entry = { undo, now };
  const told = notice(`${sentence} ${seconds} s to undo.`, { button: "Undo (U)", press: undo, stays: 0 });
  const timer = setTimeout(() => now(), seconds * 1000);
  waiting.add(entry);

  function end() {
    clearTimeout(timer);
    told.remove();
    return waiting.delete(entry);
  }
  function undo() {
    if (end()) back();
  }
  async function now(keepalive = false) {
    if (!end()) return;
    try {
      await act(keepalive);
    } catch (error) {
      failed(error);
      back();
    }
  }
  return entry;
}

/** Takes back what was decided last; false where nothing can be. */
export function undoLast() {
  const last = [...waiting].at(-1);
  last?.undo();
  return last !== undefined;
}

addEventListener("pagehide", () => waiting.forEach((entry) => entry.now(true)));
addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "u" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, textarea, select")) return;
  if (undoLast()) event.preventDefault();
});
