// What is decided is sent after a while, so that it can be taken back; leaving the page sends it at once.

import { failed, notice } from "./notices.js";
import { drop, keep } from "./unsent.js";

const WINDOW_S = 10;
const waiting = new Set();
const going = new Set(); // what is sent and not answered yet
let count = 0;

/**
 * Calls `act(keepalive)` after `seconds`, unless it is taken back first: then `back()`, and `back(error)` where it was
 * refused. Returns an object whose `undo()` takes it back and whose `now()` does it at once. `left` is told on the next
 * page where leaving this one does a part.
 */
export function later(sentence, act, { back = () => {}, seconds = WINDOW_S, left = "" } = {}) {
  const entry = { undo, now };
  const id = `${Date.now()}-${++count}`;
  keep(id, { sentence });
  const told = notice(`${sentence} ${seconds} s to undo.`, { button: "Undo (U)", press: undo, stays: 0 });
  const timer = setTimeout(() => now(), seconds * 1000);
  waiting.add(entry);

  function end() {
    clearTimeout(timer);
    told.remove();
    return waiting.delete(entry);
  }
  function undo() {
    if (!end()) return;
    drop(id);
    back();
  }
  async function now(keepalive = false) {
    if (!end()) return true;
    const sent = send(keepalive);
    going.add(sent);
    try {
      return await sent;
    } finally {
      going.delete(sent);
    }
  }
  async function send(keepalive) {
    if (keepalive) keep(id, { sentence, left, sent: true });
    try {
      await act(keepalive);
    } catch (error) {
      if (keepalive) keep(id, { sentence }); // the page is going, and shows nothing any more
      else drop(id);
      failed(error);
      back(error);
      return false;
    }
    if (!keepalive || !left) drop(id);
    return true;
  }
  return entry;
}

/** Sends all that could still be taken back, and ends when all is answered; false where something was refused. */
export async function sendAll() {
  const done = await Promise.all([...going, ...[...waiting].map((entry) => entry.now())]);
  return done.every(Boolean);
}

/** Takes back what was decided last; false where nothing can be. */
export function undoLast() {
  const last = [...waiting].at(-1);
  last?.undo();
  return last !== undefined;
}

addEventListener("pagehide", () => waiting.forEach((entry) => entry.now(true)));
addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "u" || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, textarea, select")) return;
  if (undoLast()) event.preventDefault();
});
