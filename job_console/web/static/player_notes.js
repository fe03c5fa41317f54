// Notes at a time of a take: made by N, listed below the player, marked on the waveform, settled when they are done.

import { failed, notice } from "./notices.js";
import { clock, playerOf } from "./player.js";
import { ask } from "./request.js";

const made = (name, text, attributes = {}) => {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};

/** What a note about a take is posted with. */
function subject(take) {
  const { noteJob: job, noteTake, noteRevision, noteRun: run, notePath: path } = take.element.dataset;
  if (run !== undefined) return { run, path };
  return { job, take: Number(noteTake), ...(noteRevision ? { revision: Number(noteRevision) } : {}) };
}

const asked = new WeakMap(); // by player: how often its notes were asked for

/** Lists the notes of a player anew. Also told on its element: `player:notes` ({notes}), the open ones. */
export async function listNotes(player) {
  const place = player.find("notes");
  if (!place) return;
  const { job, run } = subject(player.takes[0]);
  if (job === undefined && run === undefined) return;
  const query = run !== undefined ? `run=${encodeURIComponent(run)}` : `job=${encodeURIComponent(job)}`;
  const mine = (asked.get(player) ?? 0) + 1;
  asked.set(player, mine);
  let found;
  try {
    found = (await ask("GET", `/api/v1/notes?${query}`)).notes;
  } catch (error) {
    failed(error);
    return;
  }
  if (asked.get(player) !== mine) return; // a later answer has more
  const open = found.filter((note) => note.settled_at === null);
  for (const take of player.takes) take.notes(open.filter((note) => note.sha256 === take.sha256));
  const shown = open.filter((note) => player.takes.some((take) => take.sha256 === note.sha256));
  place.querySelector("ul")?.remove();
  if (shown.length) {
    const list = made("ul", undefined, { "aria-label": "Notes" });
    list.append(...shown.map((note) => line(player, note)));
    place.append(list);
  }
  player.root.dispatchEvent(new CustomEvent("player:notes", { bubbles: true, detail: { notes: shown } }));
}

function line(player, note) {
  const at = player.takes.findIndex((take) => take.sha256 === note.sha256);
  const item = made("li");
  const go = made("button", clock(note.seconds), { type: "button", "aria-label": `Go to ${clock(note.seconds)}` });
  go.addEventListener("click", () => {
    player.choose(at);
    player.seek(note.seconds);
  });
  const settle = made("button", "Settled", { type: "button", class: "quiet" });
  settle.addEventListener("click", async () => {
    try {
      await ask("POST", `/api/v1/notes/${note.id}/settle`, {});
      await listNotes(player);
    } catch (error) {
      failed(error);
    }
  });
  const which = player.takes.length > 1 ? `${player.takes[at].label.replace(/^\d+\s*/, "")}: ` : "";
  item.append(go, made("span", `${which}${note.words}`), made("small", note.operator), settle);
  return item;
}

function write(player, take, seconds) {
  const place = player.find("notes");
  place.querySelector("form")?.remove();
  const form = made("form", undefined, { class: "row" });
  const label = made("label", `Note at ${clock(seconds)}`);
  const words = made("input", undefined, { name: "words", maxlength: "2000", required: "", autocomplete: "off" });
  label.append(words);
  const keep = made("button", "Keep note", { type: "submit", class: "first" });
  const drop = made("button", "Cancel", { type: "button" });
  const close = () => {
    form.remove();
    player.find("toggle").focus();
  };
  drop.addEventListener("click", close);
  form.addEventListener("keydown", (event) => event.key === "Escape" && close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    keep.disabled = true;
    try {
      await ask("POST", "/api/v1/notes", { ...subject(take), seconds, words: words.value });
      close();
      notice("The note is kept.");
      await listNotes(player);
    } catch (error) {
      keep.disabled = false;
      failed(error);
    }
  });
  form.append(label, keep, drop);
  place.prepend(form);
  words.focus();
}

document.addEventListener("player:note", (event) => {
  const player = playerOf(event.target);
  if (player) write(player, event.detail.take, event.detail.seconds);
});

/** Notes of the players in a part of a page that came later. */
export function notesIn(part) {
  part.querySelectorAll("[data-player][data-notable]").forEach((root) => listNotes(playerOf(root)));
}

notesIn(document);
