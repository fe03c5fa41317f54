// The form that starts a run: its inputs row by row, each a text or JSON.

import { ask, part } from "./request.js";

const LONGEST_FILE = 1 << 20;
const form = document.getElementById("start");
const inputs = document.getElementById("inputs");
const wrong = document.getElementById("wrong");

function say(sentence, field) {
  wrong.textContent = sentence;
  wrong.hidden = false;
  field?.setAttribute("aria-invalid", "true");
  field?.focus();
}

function told() {
  const found = {};
  for (const row of inputs.querySelectorAll(".input-row")) {
    const [name, kind, value] = ["name", "kind", "value"].map((each) => row.querySelector(`[data-${each}]`));
    for (const field of [name, value]) field.removeAttribute("aria-invalid");
    if (!name.value && !value.value) continue;
    if (!name.value) return say("This input has no name.", name);
    if (Object.hasOwn(found, name.value)) return say(`There are two inputs of the name ${name.value}.`, name);
    if (kind.value === "text") {
      found[name.value] = value.value;
      continue;
    }
    try {
      found[name.value] = JSON.parse(value.value);
    } catch {
      return say(`The value of ${name.value} is no JSON.`, value);
    }
  }
  return found;
}

async function start(event) {
  event.preventDefault();
  wrong.hidden = true;
  const body = { dag: form.elements.dag.value, inputs: told() };
  if (body.inputs === undefined) return;
  for (const name of ["id", "slug", "intent"]) {
    if (form.elements[name].value) body[name] = form.elements[name].value;
  }
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  try {
    const started = await ask("POST", "/api/v1/runs", body);
    location.assign(`/runs/${part(started.id)}`);
  } catch (error) {
    say(error instanceof TypeError ? "The console does not answer; nothing was started." : error.message);
    button.disabled = false;
  }
}

function add() {
  const rows = inputs.querySelectorAll(".input-row");
  const row = rows[rows.length - 1].cloneNode(true);
  for (const field of row.querySelectorAll("input, textarea")) field.value = "";
  row.querySelector("[data-kind]").value = "text";
  rows[rows.length - 1].after(row);
  row.querySelector("[data-name]").focus();
}

function drop(row) {
  if (inputs.querySelectorAll(".input-row").length > 1) {
    row.remove();
    inputs.querySelector("[data-add]").focus();
  } else for (const field of row.querySelectorAll("input, textarea")) field.value = "";
}

async function fill(row, file) {
  if (!file) return;
  if (file.size > LONGEST_FILE) return say(`${file.name} is longer than 1 MiB, which is what a run may carry.`);
  row.querySelector("[data-value]").value = await file.text();
}

form?.addEventListener("submit", start);
form?.elements.dag.addEventListener("change", () => location.assign(`/start?dag=${part(form.elements.dag.value)}`));
inputs?.addEventListener("click", (event) => {
  if (event.target.closest("[data-add]")) add();
  const row = event.target.closest("[data-drop]")?.closest(".input-row");
  if (row) drop(row);
});
inputs?.addEventListener("change", (event) => {
  if (event.target.matches("[data-file]")) fill(event.target.closest(".input-row"), event.target.files[0]);
});
