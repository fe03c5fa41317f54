// Decides at gates, one after the other. What is decided is sent when it can no longer be taken back, or when the
// page is left; it is about what was shown here and nothing else. Listening and looking decide nothing.

import { endOfSave, isOpening, isSavedHere } from "./edit_text.js";
import { rest, wake } from "./files.js";
import { fieldOf, isOfWords, isTyping, keepDraft, keptDraft } from "./gate_words.js";
import { refresh } from "./live.js";
import { failed, notice, sessionOver } from "./notices.js";
import { clock } from "./player.js";
import { ask, part } from "./request.js";
import { later } from "./undo.js";

const WORDS = { gate_approved: "approved", gate_rejected: "rejected" };
const card = document.getElementById("card");
const deciding = new Map(); // by gate: what is decided here and not sent yet
const sent = new Set(); // gates that this page has decided, or heard that others did
const notesOf = new Map(); // by the digest of an audio of the card: its open notes, as a rejection says them
const LONGEST = 9900; // characters of what is said with a decision
let asked = 0;

const keyOf = ({ run, stage, number }) => `${run}/${stage}/${number}`;
const mended = () => card.querySelector("form[data-editing] textarea");
const gate = () => document.getElementById("gate");
const links = () => [...document.querySelectorAll("[data-gate]")];
const isOpen = (link) => !deciding.has(keyOf(link.dataset)) && !sent.has(keyOf(link.dataset));

function mark() {
  for (const link of links()) {
    if (isOpen(link)) delete link.dataset.decided;
    else link.dataset.decided = "";
    const here = gate() && keyOf(link.dataset) === keyOf(gate().dataset);
    if (here) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

const fields = () => [...document.querySelectorAll("#decide :is(textarea, input)")];

/** Puts what was written at the gate that is shown back into its fields. */
function recall() {
  const draft = gate() && keptDraft(keyOf(gate().dataset));
  if (draft) fields().forEach((field, at) => Object.assign(field, draft[at]));
}

/** Says on the card what happened to its gate while somebody typed there. */
function tellThere(sentence) {
  const place = document.getElementById("meanwhile");
  if (!place) return;
  place.textContent = sentence;
  place.hidden = false;
}

async function show(address) {
  const mine = ++asked;
  card.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== asked || isTyping() || mended()) return; // somebody went on meanwhile, or began to write
    const now = fresh.getElementById("card");
    if (new URL(answer.url).pathname === "/login") return sessionOver();
    if (answer.status >= 500 || answer.status === 429) throw new Error(`The console answered ${answer.status}: press again in a moment.`);
    if (!now) return location.assign(address);
    rest(card);
    notesOf.clear();
    card.replaceChildren(...now.childNodes);
    history.replaceState(null, "", address);
    recall();
    wake(card);
    mark();
    document.getElementById("gate-head")?.focus({ preventScroll: true });
    scrollTo(0, 0);
  } catch (error) {
    failed(error);
  } finally {
    if (mine === asked) card.removeAttribute("aria-busy");
  }
}

/** Whether a text of the card is being mended: what is not saved would be lost, or not be decided about. */
function mending() {
  const field = mended();
  if (!field && !isOpening(card)) return false;
  notice("A text is open: save it, or leave it as it was.", { problem: true });
  field?.focus();
  return true;
}

/** Goes to the next gate that is not decided here, or the one before; without one, to an empty inbox. */
function go(step) {
  if (mending()) return;
  const all = links();
  const here = all.findIndex((link) => gate() && keyOf(link.dataset) === keyOf(gate().dataset));
  const turned = step > 0 ? [...all.slice(here + 1), ...all.slice(0, Math.max(here, 0))] : [...all.slice(0, Math.max(here, 0)).reverse(), ...all.slice(here + 1).reverse()];
  const next = turned.find(isOpen);
  if (next) show(next.getAttribute("href"));
  else notice(deciding.size ? "That was the last one." : "There is no other gate.");
}

/** What is said with a decision; with a rejection also why, and each note at a time of an audio. */
function said(form, rejects) {
  const note = form.elements.note.value.trim();
  if (!rejects) return note;
  const reasons = [...form.querySelectorAll("[name=reason]:checked")].map((each) => each.value).join(", ");
  const heard = [...document.querySelectorAll("#files .file")].flatMap((file) => notesOf.get(file.dataset.sha) ?? []);
  const first = reasons && note ? `${reasons}: ${note}` : reasons || note;
  return [first, ...heard].filter(Boolean).join("\n").slice(0, LONGEST);
}

// Notes at a time go with a rejection: the page says so below the players.
document.addEventListener("player:notes", (event) => {
  const file = event.target.closest("#files .file");
  if (!file) return;
  const told = event.detail.notes.map((note) => `${file.dataset.file} ${clock(note.seconds)} ${note.words}`);
  notesOf.set(file.dataset.sha, told);
  const many = [...notesOf.values()].flat().length;
  const place = document.getElementById("notes-go");
  if (!place) return;
  place.hidden = !many;
  place.textContent = many === 1 ? "1 note at a time goes with a rejection." : `${many} notes at their times go with a rejection.`;
});

function decide(act) {
  const form = document.getElementById("decide");
  if (!form || gate().classList.contains("decided") || mending()) return;
  if (gate().dataset.stale !== undefined) {
    notice("What it made has changed: look again, then decide.");
    show(location.href);
    return;
  }
  const { run, stage, seen, number, attempt } = gate().dataset;
  const words = said(form, act === "reject");
  const hint = form.querySelector(".hint");
  if (act === "reject" && !words && hint.hidden) {
    hint.hidden = false;
    form.elements.note.focus();
    return;
  }
  const body = { seen, attempt: Number(attempt), ...(words ? { notes: words } : {}) };
  if (act === "reject") body.anew = form.elements.anew.checked;
  const key = keyOf({ run, stage, number });
  const address = `/gates?run=${part(run)}&stage=${part(stage)}`;
  let forgotten = false;
  const entry = later(`${stage} of ${run} is ${act === "approve" ? "approved" : "rejected"}.`, send, { back });
  deciding.set(key, { ...gate().dataset, forget: () => ((forgotten = true), entry.undo()) });
  mark();
  gate().classList.add("decided");
  go(1);

  async function send(keepalive) {
    sent.add(key);
    await ask("POST", `/api/v1/runs/${part(run)}/gates/${part(stage)}/${act}`, body, { keepalive });
    keepDraft(key, null);
    deciding.delete(key);
    refresh();
  }
  function back(error) {
    deciding.delete(key);
    if (!forgotten) sent.delete(key);
    mark();
    refresh();
    // A refusal comes when somebody may be about another gate: that one stays.
    const here = !gate() || keyOf(gate().dataset) === key;
    if (!forgotten && (here || !error) && !isTyping()) show(address);
  }
}

// Somebody else was first, or what a gate is about has changed.
function heard(told) {
  if (!(told.event in WORDS) && told.event !== "gate_voided" && told.event !== "job_canceled") return;
  const saving = endOfSave(told.run, told.stage);
  if (saving) return saving.then(() => heard(told)); // whose change it tells is known then
  // An event that the page comes behind by itself may be of an earlier opening of the same gate.
  const concerned = ({ run, stage, attempt, opened }) =>
    run === told.run &&
    (told.stage === null ? told.at >= opened : stage === told.stage && Number(attempt) === told.attempt);
  const seen = told.event === "gate_voided" ? told.data.seen : undefined; // what the gate is about now
  if (isSavedHere(told.run, told.stage, seen)) return;
  const word = WORDS[told.event] ?? (told.event === "gate_voided" ? "changed" : "canceled");
  const who = told.data.operator ?? "somebody";
  for (const [key, mine] of deciding) {
    // Of what was decided about this page may have known before its event came.
    if (!concerned(mine) || sent.has(key) || (seen && seen === mine.seen)) continue;
    notice(`${mine.stage} of ${mine.run} was ${word} by ${who} first; what you decided was not sent.`, { problem: true });
    if (!seen) sent.add(key); // else it waits still, for a decision about what it is about now
    mine.forget();
    if (seen && gate() && keyOf(gate().dataset) === key) show(location.href);
    return;
  }
  const here = gate();
  if (!here || !concerned(here.dataset) || sent.has(keyOf(here.dataset))) return;
  if (seen) {
    if (seen === here.dataset.seen) return; // it is shown already
    notice(`What ${told.stage} of ${told.run} made has changed: look again.`);
    if (isTyping() || mended()) {
      here.dataset.stale = "";
      tellThere("What it made has changed meanwhile. Your note is kept; look again before you decide.");
    } else show(location.href);
    return;
  }
  notice(`${here.dataset.stage} of ${told.run} was ${word} by ${who}.`, { stays: 20_000 });
  here.classList.add("decided");
  sent.add(keyOf(here.dataset));
  mark();
  if (isTyping()) tellThere(`It was ${word} by ${who} meanwhile. Your note is kept here; Escape and J lead on.`);
  else go(1);
}

// Files: 1-9 chooses; space plays what is chosen. Keys of a player are its own (player.js).
function choose(number) {
  const files = [...document.querySelectorAll("#files .file")];
  const file = files[number - 1];
  if (!file) return;
  for (const each of files) {
    each.classList.toggle("chosen", each === file);
    if (each !== file) each.querySelectorAll("audio, video").forEach((media) => media.pause());
  }
  const text = file.querySelector("details[data-text]");
  if (text) text.open = true;
  const at = file.querySelector("[data-toggle]") ?? file;
  at.focus({ preventScroll: true });
  file.scrollIntoView({ block: "nearest" });
}

function play() {
  const file = document.querySelector("#files .chosen");
  if (file?.querySelector("[data-player]")) return false; // the player hears the key itself
  const media = file?.querySelector("audio, video") ?? document.querySelector("#files video, #files figure > audio");
  if (!media || (!file && document.querySelector("#files [data-player]"))) return false;
  if (media.paused) media.play().catch(failed);
  else media.pause();
  return true;
}

const KEYS = { j: () => go(1), k: () => go(-1), a: () => decide("approve"), r: () => decide("reject") };

// Before the players hear it: a digit chooses a file here, and not a take.
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const field = fieldOf(event.target);
  if (isOfWords(event)) {
    if (!field) {
      event.preventDefault();
      event.stopImmediatePropagation(); // it is no key of a player, and takes nothing back
    } else if (event.key === "Escape") field.blur();
    return;
  }
  const key = event.key.toLowerCase();
  // A key that is held down would decide about each gate as it comes into sight.
  if (event.repeat && (key === "a" || key === "r")) return event.preventDefault();
  const act = KEYS[key];
  if (act) act();
  else if (/^[1-9]$/.test(event.key)) choose(Number(event.key));
  else if (event.key !== " " || event.target.closest?.("button, a, summary, audio, video, input") || !play()) return;
  event.preventDefault();
}, true);

document.addEventListener("click", (event) => {
  const act = event.target.closest?.("[data-act]")?.dataset.act;
  if (act === "next" || act === "back") go(act === "next" ? 1 : -1);
  else if (act) decide(act);
  const link = event.target.closest?.("[data-gate]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  show(link.getAttribute("href"));
});
document.addEventListener("input", (event) => {
  if (!event.target.matches?.("#decide :is(textarea, input)")) return;
  keepDraft(keyOf(gate().dataset), fields().map(({ value, checked }) => ({ value, checked })));
});
document.addEventListener("submit", (event) => event.target.id === "decide" && event.preventDefault());
document.addEventListener("console:news", ({ detail }) => detail.kind === "run" && heard(detail.told));
document.addEventListener("console:renewed", () => {
  mark();
  const first = links().find(isOpen);
  // Not where somebody has chosen one that is on its way.
  if (!gate() && first && !deciding.size && !isTyping() && !card.hasAttribute("aria-busy")) show(first.getAttribute("href")); // it was empty, and something came
});
recall();
mark();
