// Mends a text at its open gate: the whole file is saved, and a decision is about what it says then.

import { isTyping } from "./gate_words.js";
import { failed, notice } from "./notices.js";
import { ask, part } from "./request.js";

const MOST = 1 << 20; // bytes, as REST takes them
const gate = () => document.getElementById("gate");
const saved = new Set(); // of what was saved here: gates and digests whose events have not come yet

/** Whether a change of a gate is what was saved here; an event tells each once. */
export const isSavedHere = (run, stage, seen) => saved.delete(JSON.stringify([run, stage, seen]));

const saving = new Map(); // by gate: the save that is not answered yet
const keyOf = (run, stage) => JSON.stringify([run, stage]);

/** The end of a save that is under way at a gate, if one is: its event may come before its answer. */
export const endOfSave = (run, stage) => saving.get(keyOf(run, stage));

/** Whether a text of a card was asked for and is about to stand open. */
export const isOpening = (card) => card.querySelector("[data-edit]:disabled") !== null;

async function open(file) {
  const button = file.querySelector("[data-edit]");
  button.disabled = true;
  try {
    const answer = await fetch(button.dataset.edit, { headers: { Accept: "*/*" } });
    if (!answer.ok) throw new Error((await answer.json()).error.message);
    const text = await answer.text();
    file.querySelector("details[data-text]").hidden = true;
    const form = document.getElementById("edit-form").content.cloneNode(true).firstElementChild;
    const field = form.querySelector("textarea");
    field.value = text;
    field.setAttribute("aria-label", `What ${file.dataset.file} says`);
    form.querySelector("[data-edit-wrong]").hidden = true;
    file.append(form);
    button.hidden = true;
    field.setSelectionRange(0, 0);
    if (!isTyping()) field.focus(); // who began to write elsewhere meanwhile goes on there
    field.scrollTop = 0;
  } catch (error) {
    failed(error);
  } finally {
    button.disabled = false;
  }
}

function close(file) {
  file.querySelector("form[data-editing]").remove();
  file.querySelector("details[data-text]").hidden = false;
  const button = file.querySelector("[data-edit]");
  button.hidden = false;
  button.focus();
}

function save(file, form) {
  const { run, stage } = gate().dataset;
  const key = keyOf(run, stage);
  const end = send(file, form).finally(() => saving.get(key) === end && saving.delete(key));
  saving.set(key, end);
}

async function send(file, form) {
  const field = form.querySelector("textarea");
  const text = field.value;
  const wrong = form.querySelector("[data-edit-wrong]");
  const say = (sentence) => ((wrong.textContent = sentence), (wrong.hidden = false));
  if (new Blob([text]).size > MOST) return say("It is longer than 1 MiB.");
  const { run, stage, seen } = gate().dataset;
  const path = file.dataset.file.split("/").map(part).join("/");
  // What is written or left while it is saved would be neither saved nor left.
  const hold = (yes) => {
    field.readOnly = yes;
    for (const button of form.querySelectorAll("button")) button.disabled = yes;
  };
  hold(true);
  try {
    const now = await ask("POST", `/api/v1/runs/${part(run)}/gates/${part(stage)}/files/${path}`, { text, seen });
    if (now.seen !== seen) saved.add(JSON.stringify([now.run, now.stage, now.seen]));
    shown(file, text, now);
    notice(`${file.dataset.file} is saved; a decision is about what it says now.`);
  } catch (error) {
    say(error instanceof TypeError ? "The console does not answer; what you wrote stands here." : error.message);
    hold(false);
  }
}

/** Shows what was saved in its place. The card may be a newer one by now, where others looked again. */
function shown(file, text, now) {
  const here = gate();
  if (here?.dataset.run === now.run && here.dataset.stage === now.stage) {
    here.dataset.seen = now.seen;
    delete here.dataset.stale; // what was told of it meanwhile was this
    const meanwhile = document.getElementById("meanwhile");
    if (meanwhile) meanwhile.hidden = true;
    for (const each of here.querySelectorAll("[data-seen-shown]")) each.textContent = `seen ${now.seen.slice(0, 12)}`;
  }
  file.dataset.sha = now.sha256;
  const digest = file.querySelector("[data-digest]");
  if (digest) [digest.textContent, digest.title] = [now.sha256.slice(0, 12), `sha256 ${now.sha256}`];
  const box = file.querySelector("details[data-text]");
  box.dataset.read = "1";
  box.open = true;
  box.querySelector("pre").textContent = text;
  file.querySelector("[data-table]")?.remove(); // it told what was there before
  if (file.querySelector("form[data-editing]")) close(file);
}

document.addEventListener("click", (event) => {
  const file = event.target.closest?.(".file");
  if (event.target.closest?.("[data-edit]")) open(file);
  else if (event.target.closest?.("[data-edit-leave]")) close(file);
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-editing]")) return;
  event.preventDefault();
  save(event.target.closest(".file"), event.target);
});
