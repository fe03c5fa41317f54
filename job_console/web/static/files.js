// Files of a run in their place: texts are read when they are opened, and what is new takes the place of what it was.

import { mount, playerOf, unmount } from "./player.js";
import { notesIn } from "./player_notes.js";

const MOST = 1 << 18; // bytes of a text that are shown

async function read(box) {
  if (box.dataset.read) return;
  box.dataset.read = "1";
  const shown = box.querySelector("pre");
  try {
    const answer = await fetch(box.dataset.text, { headers: { Range: `bytes=0-${MOST - 1}` } });
    if (answer.status === 416) return (shown.textContent = "(empty)"); // no byte of it can be had: it has none
    if (!answer.ok) throw new Error((await answer.json()).error.message);
    const whole = Number(answer.headers.get("Content-Range")?.split("/")[1] ?? 0);
    const text = await answer.text();
    shown.textContent = box.dataset.as === "text" || whole > MOST ? text : pretty(text);
    if (whole > MOST) shown.append(`\n… and ${whole - MOST} bytes more: open it to read on.`);
  } catch (error) {
    delete box.dataset.read;
    shown.textContent = error instanceof TypeError ? "The console does not answer." : error.message;
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** Reads the texts that stand open below an element. */
export function readOpen(root = document) {
  root.querySelectorAll("details[data-text][open]").forEach(read);
}

/** Makes what came later work: its players and the texts that stand open. */
export function wake(root) {
  root.querySelectorAll("[data-player]").forEach(mount);
  notesIn(root);
  readOpen(root);
}

/** Ends the players of what is about to go. */
export function rest(root) {
  root.querySelectorAll("[data-player]").forEach(unmount);
}

/** Takes the files below `#files` as a fresh page has them; one that plays or is noted about now stays. */
export function renewFiles(fresh) {
  const old = document.getElementById("files");
  const now = fresh.getElementById("files");
  if (!old || !now) return;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const held = new Map([...old.querySelectorAll("[data-file]")].map((file) => [file.dataset.file, file]));
  for (const file of now.querySelectorAll("[data-file]")) {
    const mine = held.get(file.dataset.file);
    const playing =
      [...(mine?.querySelectorAll("audio, video") ?? [])].some((each) => !each.paused) ||
      playerOf(mine?.querySelector("[data-player]"))?.playing;
    const noting = mine?.querySelector("[data-notes] form");
    if (mine && (playing || noting || mine.dataset.sha === file.dataset.sha)) file.replaceWith(mine);
    else if (mine) rest(mine);
  }
  old.replaceChildren(...now.childNodes);
  old.querySelectorAll("[data-player]").forEach((each) => playerOf(each) || (mount(each), notesIn(each.parentElement)));
  readOpen(old);
  // What stays was put there again, and has lost the focus: the next letter would be a key of the page.
  if (focused?.isConnected) focused.focus({ preventScroll: true });
}

// What cannot be loaded says so, in place of a broken picture or a mute player.
function missing(event) {
  const file = event.target.closest?.(".file");
  if (!file || event.target.closest("[data-player]") || !event.target.matches("img, audio, video")) return;
  const told = document.createElement("p");
  told.className = "advice";
  told.textContent = "It cannot be read where the console is, or your browser does not know its kind.";
  event.target.replaceWith(told);
}

document.addEventListener("error", missing, true);
for (const each of document.querySelectorAll(".file img")) {
  if (each.complete && each.currentSrc && !each.naturalWidth) missing({ target: each }); // it failed before we listened
}
document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("details[data-text]") && event.target.open) read(event.target);
}, true);
readOpen();
