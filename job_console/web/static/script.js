// The lines of a script are heard one after the other, as they come; and the episode is made.

import { refresh } from "./live.js";
import { failed } from "./notices.js";
import { ask } from "./request.js";

const LOOK_MS = 1000;
const sound = document.getElementById("sound");
const playing = document.getElementById("playing");
const rows = [...document.querySelectorAll("#lines [data-number]")];
const numbers = rows.map((row) => Number(row.dataset.number));
let now = 0; // the line that plays or is waited for; 0: none
let waits = false;

const button = (number) => document.querySelector(`button[data-play="${number}"]`);
const row = (number) => document.getElementById(`row-${number}`);

function mark() {
  for (const each of rows) each.toggleAttribute("aria-current", Number(each.dataset.number) === now);
}

function play(number) {
  now = number;
  mark();
  const from = button(number);
  const words = row(number).querySelector(".said").textContent;
  if (!from) {
    waits = true;
    playing.textContent = `Line ${number} is not spoken yet; it plays as soon as it is.`;
    return;
  }
  waits = false;
  sound.dataset.number = number;
  sound.src = from.dataset.src;
  playing.textContent = `Line ${number}: ${words.slice(0, 200)}`;
  sound.play().catch((error) => {
    if (error.name !== "AbortError") playing.textContent = `Line ${number} cannot be played: ${error.message}`;
  });
}

function next() {
  const after = numbers.find((each) => each > now && !skipped(each));
  if (after !== undefined) {
    play(after);
    return;
  }
  now = 0;
  waits = false;
  mark();
  playing.textContent = "That was the last line of this page.";
}

/** What will not be heard, whatever is waited for: pictures, and lines that ended badly. */
function skipped(number) {
  if (button(number)) return false;
  const state = row(number).querySelector(".word").dataset.state;
  return ["done", "failed", "canceled", "unknown"].includes(state);
}

sound.addEventListener("ended", next);
sound.addEventListener("error", () => {
  if (sound.hasAttribute("src")) playing.textContent = `The audio of line ${sound.dataset.number} does not come.`;
});
document.getElementById("play-all").addEventListener("click", () => {
  now = 0;
  next();
});
document.getElementById("lines").addEventListener("click", (event) => {
  const from = event.target.closest?.("button[data-play]");
  if (from) play(Number(from.dataset.play));
});
document.addEventListener("console:rests", (event) => now && event.preventDefault()); // the next line comes by events
document.addEventListener("console:renewed", () => {
  mark();
  if (waits && button(now)) play(now);
  else if (waits && skipped(now)) next();
});

// The episode.

const make = document.getElementById("make");
const script = make.dataset.script;

async function watch() {
  const told = await ask("GET", `/api/v1/scripts/${script}/episode`).catch(() => ({ state: "making" }));
  if (told.state === "making") setTimeout(watch, LOOK_MS);
  else refresh();
}

make.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { title, format, loudness } = make.elements;
  const asked = { title: title.value.trim(), format: format.value, loudness: loudness.value };
  try {
    await ask("POST", `/api/v1/scripts/${script}/episode`, asked);
    refresh();
    watch();
  } catch (error) {
    failed(error);
  }
});
if (document.getElementById("episode").dataset.state === "making") watch();
