// One job, the chosen ones, or all that a filter shows: asked of REST ten seconds later, unless it is taken back.
// <section data-bulk data-post="/api/v1/queue/cancel" data-filter='{"state": "waiting"}' data-verb="Cancel">
// with rows data-job="ID", each with a checkbox and a button data-one; data-all, data-chosen and data-whole beside.
// Elsewhere a button data-steps="/api/v1/..." data-filter='{...}' data-undo="..." does the same for a filter.

import { refresh } from "./live.js";
import { notice } from "./notices.js";
import { ask } from "./request.js";
import { later } from "./undo.js";

const table = document.querySelector("[data-bulk]");
const chosen = new Set();
const going = new Set(); // what is asked for, and not answered yet

const jobs = (count) => (count === 1 ? "1 job" : `${count} jobs`);
const rows = () => [...table.querySelectorAll("[data-job]")];

function show() {
  if (!table) return;
  const there = rows();
  for (const row of there) {
    const id = row.dataset.job;
    row.classList.toggle("going", going.has(id));
    row.querySelector("input[type=checkbox]").checked = chosen.has(id);
    row.querySelector("[data-one]").disabled = going.has(id);
  }
  const { verb } = table.dataset;
  const button = table.querySelector("[data-chosen]");
  button.textContent = chosen.size ? `${verb} ${jobs(chosen.size)}` : `${verb} chosen`;
  button.disabled = chosen.size === 0;
  const all = table.querySelector("[data-all]");
  if (!all) return; // nothing is listed
  all.checked = there.length > 0 && there.every((row) => chosen.has(row.dataset.job));
  all.indeterminate = !all.checked && there.some((row) => chosen.has(row.dataset.job));
}

/** Asks step by step until there is nothing left; returns how many were changed. What fails says how far it was. */
async function steps(path, filter, keepalive) {
  let after = null;
  let changed = 0;
  let told = null;
  try {
    do {
      const answer = await ask("POST", path, { ...filter, after }, { keepalive });
      changed += answer.canceled ?? answer.requeued;
      after = answer.after;
      if (after === null || keepalive) break; // who leaves the page stops it
      told?.remove();
      told = notice(`${jobs(changed)} so far; leaving this page stops it.`, { stays: 0 });
    } while (after !== null);
  } catch (error) {
    if (changed) notice(`It stopped after ${jobs(changed)}; the others are as they were.`, { problem: true });
    throw error;
  } finally {
    told?.remove();
  }
  return changed;
}

function decide(sentence, path, body, ids, back) {
  ids.forEach((id) => going.add(id));
  show();
  const end = () => {
    ids.forEach((id) => going.delete(id));
    back?.();
    show();
  };
  const act = async (keepalive) => {
    const changed = await steps(path, body, keepalive);
    if (keepalive) return;
    notice(`${jobs(changed)} ${changed === 1 ? "was" : "were"} changed.`);
    end();
    refresh();
  };
  // Named ones are all in the one step that leaving the page sends.
  const left = body.jobs ? "" : "You left the page, so that only the first step of it was done: look what is left.";
  later(sentence, act, { back: end, left });
}

function press(button) {
  const { post, verb, verbing } = table.dataset;
  if (button.dataset.one !== undefined) {
    const id = button.closest("[data-job]").dataset.job;
    decide(`${verbing} ${id}.`, post, { jobs: [id] }, [id]);
  } else if (button.dataset.chosen !== undefined) {
    const ids = [...chosen];
    chosen.clear();
    decide(`${verbing} ${jobs(ids.length)}.`, post, { jobs: ids }, ids);
  } else if (button.dataset.whole !== undefined) {
    if (!confirm(`${verb} every job that this filter shows, those on other pages too?`)) return;
    const shown = rows().map((row) => row.dataset.job);
    decide(`${verbing} all that the filter shows.`, post, JSON.parse(table.dataset.filter), shown);
  }
}

table?.addEventListener("click", (event) => {
  const button = event.target.closest?.("button");
  if (button) press(button);
});

table?.addEventListener("change", (event) => {
  const box = event.target;
  if (box.dataset.all !== undefined) {
    rows().forEach((row) => (box.checked ? chosen.add(row.dataset.job) : chosen.delete(row.dataset.job)));
  } else if (box.type === "checkbox") {
    const id = box.closest("[data-job]").dataset.job;
    if (box.checked) chosen.add(id);
    else chosen.delete(id);
  }
  show();
  box.blur?.(); // what is focused is not taken anew
});

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button[data-steps]");
  if (!button) return;
  button.disabled = true;
  const { steps: path, filter, undo } = button.dataset;
  decide(undo, path, JSON.parse(filter), [], () => (button.disabled = false));
});

document.addEventListener("console:renewed", show);
show();
