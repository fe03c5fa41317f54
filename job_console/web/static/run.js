// The page of a run: its files as they come, and a stage that is run anew with a note.

import { refresh } from "./live.js";
import { renewFiles } from "./files.js";
import { failed, notice } from "./notices.js";
import { ask } from "./request.js";
import "./trail.js";

const RENEWING = ["stage_completed", "stage_failed", "gate_voided"];
const run = document.getElementById("trail").dataset.run;
let busy = false;
let again = false;

async function renew() {
  if (busy) return (again = true);
  busy = true;
  again = false;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    again ||= answer.status === 429 || answer.status >= 500; // for now: the files are there all the same
    if (answer.ok) renewFiles(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    again = true; // without a connection it is tried with the next event
  } finally {
    busy = false;
  }
  if (again) setTimeout(renew, 1000);
}

document.addEventListener("console:news", ({ detail }) => {
  if (detail.kind === "run" && detail.told.run === run && RENEWING.includes(detail.told.event)) renew();
});

// What is taken anew is closed; whoever had opened it finds it open.
const opened = new Map();
document.addEventListener("toggle", (event) => event.target.id && opened.set(event.target.id, event.target.open), true);
document.addEventListener("console:renewed", () => {
  for (const [id, open] of opened) {
    const box = document.getElementById(id);
    if (box) box.open = open;
  }
});

document.getElementById("anew")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { stage, note } = event.target.elements;
  const button = event.target.querySelector("button");
  button.disabled = true;
  try {
    const sent = note.value;
    const body = { stage: stage.value, ...(sent.trim() ? { note: sent.trim() } : {}) };
    const told = await ask("POST", event.target.dataset.to, body);
    const others = told.rejected.join(" and ");
    notice(`${told.stage} runs anew${others && `, once ${others}, rejected as well, may do so too`}.`);
    if (note.value === sent) note.value = ""; // else somebody writes the next one already
    refresh();
  } catch (error) {
    failed(error);
  } finally {
    button.disabled = false;
  }
});
