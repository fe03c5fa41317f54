// The page of a job: a line is changed and heard again, beside what it was before.

import { refresh } from "./live.js";
import { failed, notice } from "./notices.js";
import { clock, mount, playerOf, unmount } from "./player.js";
import { notesIn } from "./player_notes.js";
import { ask } from "./request.js";

const PUBLISHED_MS = 3000; // the published file follows the record in a moment, and the page says whether it stands
const form = document.getElementById("change");
const id = form?.dataset.id;
const consequence = document.getElementById("consequence");
const problems = document.getElementById("problems");
const heard = document.getElementById("heard");

/** A word and how it is said, of a line; a word may hold colons itself ("12:30: half past twelve"). */
function saying(line) {
  const [, word, said] = line.match(/^(.*?):\s+(.*)$/s) ?? line.match(/^(.*?):(.*)$/s) ?? [line, line, ""];
  return [word, said];
}

/** The job of the form: what was asked for, with what was changed. */
function changed() {
  const asked = JSON.parse(form.dataset.job);
  const { text, who, speed, variants, seed, pronounce } = form.elements;
  const [kind, name] = who.value.split(/:(.*)/s);
  // A field knows one way to end a line: what nobody changed stays as it was asked for.
  const same = text.value === (asked.text ?? "").replace(/\r\n?/g, "\n");
  const job = { ...asked, text: same ? asked.text : text.value, [kind]: name };
  delete job[kind === "voice" ? "speaker" : "voice"];
  const put = (field, value, usual) => {
    if (value === usual) delete job[field];
    else job[field] = value;
  };
  put("speed", Number(speed.value || 1), 1);
  put("variants", Number(variants.value || 1), 1);
  if (seed.value === "") delete job.seed;
  else job.seed = Number(seed.value);
  const sayings = pronounce.value.split("\n").filter((line) => line.trim()).map(saying);
  delete job.pronounce;
  if (sayings.length) job.pronounce = Object.fromEntries(sayings.map((each) => each.map((part) => part.trim())));
  return job;
}

async function enqueue(dry, isWanted = () => true) {
  problems.hidden = true;
  form.querySelectorAll("[aria-invalid]").forEach((field) => field.removeAttribute("aria-invalid"));
  try {
    const told = await ask("POST", `/api/v1/queue/jobs?changed=replace&dry_run=${dry}`, { jobs: [changed()] });
    return told.jobs[0];
  } catch (error) {
    if (!error.problems?.length) throw error;
    if (isWanted()) tell(error.problems);
    return null;
  }
}

function tell(found) {
  problems.hidden = false;
  problems.replaceChildren(
    ...found.map((problem) => {
      const line = document.createElement("li");
      line.textContent = `${problem.field ?? "job"}: ${problem.message}`;
      const name = ["voice", "speaker"].includes(problem.field) ? "who" : problem.field;
      form.elements[name]?.setAttribute?.("aria-invalid", "true");
      return line;
    }),
  );
  consequence.textContent = "Nothing would be done: there is something to mend first.";
}

/** What becomes stale, and what redoing costs, by what it took the last time. */
function consequences(outcome) {
  if (outcome.outcome === "duplicate" || outcome.outcome === "updated") {
    return "Nothing that is heard differs, so nothing would be spoken again. Another seed makes another take of the same words.";
  }
  const redo = JSON.parse(form.dataset.redo);
  const next = outcome.outcome === "replaced" ? outcome.revision + 1 : 1; // so far the job has the one before
  if (!redo.takes) return `Revision ${next} would be spoken; nothing of it was heard before, so nothing becomes stale.`;
  const job = changed();
  const part = (job.text.length / Math.max(1, redo.characters)) * ((job.variants ?? 1) / redo.takes);
  const stale = redo.takes === 1 ? "its take" : `its ${redo.takes} takes`;
  return (
    `Revision ${next} would be spoken. Stale then: ${stale} of ${redo.audio}, the published ${redo.output}, and ` +
    `whatever was joined or cut from that; revision ${form.dataset.revision} stays to be compared. Speaking it takes about ` +
    `${(redo.work_s * part).toFixed(1)} s of work, by what it took the last time (${redo.cost.replace(/\.$/, "")}).`
  );
}

let asked = 0; // how often something was asked for: what was only tried before says nothing over it

async function dry() {
  const mine = ++asked;
  const isLast = () => mine === asked;
  try {
    const outcome = await enqueue(true, isLast);
    if (outcome && isLast()) consequence.textContent = consequences(outcome);
  } catch (error) {
    if (isLast()) failed(error);
  }
}

async function speak() {
  asked += 1;
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  try {
    const would = await enqueue(true);
    if (!would) return;
    if (would.outcome === "replaced" && String(would.revision) !== form.dataset.revision) {
      form.dataset.revision = would.revision;
      consequence.textContent =
        `Revision ${would.revision} was asked for meanwhile, by somebody else or on another page, and is not what you see here. ` +
        "Load the page anew to see it; press again to speak yours in its place.";
      return;
    }
    const outcome = await enqueue(false);
    if (!outcome) return;
    if (outcome.outcome === "duplicate" || outcome.outcome === "updated") {
      consequence.textContent = consequences(outcome);
      return;
    }
    form.dataset.job = JSON.stringify(changed());
    form.dataset.revision = outcome.revision;
    // Its audio may have come before this answer, which then has nothing to add.
    if (Number(heard.dataset.revision) < outcome.revision) {
      consequence.textContent = `Revision ${outcome.revision} is on the queue. It is heard above, beside the old one, as soon as it is done.`;
    }
    notice("It is spoken anew.");
    refresh();
  } catch (error) {
    failed(error);
  } finally {
    button.disabled = false;
  }
}

if (form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    speak();
  });
  form.addEventListener("change", dry);
  form.querySelector("[data-dry]").addEventListener("click", dry);
  form.querySelector("[data-other-seed]").addEventListener("click", () => {
    form.elements.seed.value = crypto.getRandomValues(new Uint32Array(1))[0];
    dry();
  });
}

/** The revision that a note is about: its part is "r2.1", of take 1. */
const revisionOf = (note) => Number(note.part.match(/^r(\d+)\./)?.[1] ?? Infinity);

// What is noted about the audio stands where its line is changed.
document.addEventListener("player:notes", (event) => {
  const place = document.getElementById("open-notes");
  if (!place) return;
  place.hidden = !event.detail.notes.length;
  const present = Number(heard.dataset.revision);
  const old = event.detail.notes.filter((note) => revisionOf(note) < present);
  const all = old.length === event.detail.notes.length;
  place.querySelector("p").textContent = all ? "Noted about the audio before, which was spoken anew since:" : "Noted about this audio:";
  place.querySelector("ul").replaceChildren(
    ...event.detail.notes.map((note) => {
      const line = document.createElement("li");
      const of = old.includes(note) ? `, of revision ${revisionOf(note)}` : "";
      line.textContent = `${clock(note.seconds)} ${note.words}${of}`;
      return line;
    }),
  );
});

// New audio comes in when it is there; while something plays or is noted, it waits to be asked for.
let offered = null;
let renewals = 0;

function isInUse() {
  return playerOf(heard.querySelector("[data-player]"))?.playing || heard.querySelector("[data-notes] form") !== null;
}

async function renew({ wanted = false } = {}) {
  const mine = ++renewals;
  offered?.remove();
  offered = null;
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  if (!answer.ok) return;
  const whole = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = whole.getElementById("heard");
  if (!fresh || mine !== renewals) return;
  if (!wanted && isInUse()) return offer(); // it was begun meanwhile
  remember(whole.getElementById("change"), fresh.dataset);
  heard.querySelectorAll("[data-player]").forEach(unmount);
  Object.assign(heard.dataset, fresh.dataset);
  heard.replaceChildren(...fresh.childNodes);
  heard.querySelectorAll("[data-player]").forEach(mount);
  notesIn(heard);
  document.dispatchEvent(new CustomEvent("job:heard"));
}

/** From now on it is the new revision that is changed; what somebody is writing stays. */
function remember(now, { revision, state }) {
  if (!form || !now) return;
  if (revision !== heard.dataset.revision && state === "done") {
    consequence.textContent = `Revision ${revision} is heard above, beside the one before.`;
  }
  Object.assign(form.dataset, now.dataset);
}

function offer() {
  const press = () => renew({ wanted: true }).catch(failed);
  offered ??= notice("The new audio is there.", { button: "Compare", press, stays: 0 });
}

function arrived() {
  if (isInUse()) offer();
  else renew().catch(failed);
}

const name = heard?.closest("main").querySelector("h1")?.textContent;
document.addEventListener("console:news", (event) => {
  const { kind, told } = event.detail;
  if (kind === "gap") return arrived();
  if (kind === "job" && told.request_id === name && ["done", "failed", "canceled"].includes(told.state)) {
    arrived();
    setTimeout(refresh, PUBLISHED_MS);
  }
});
