// The form that starts a run: its inputs row by row. Each is a text or JSON, or what the pipeline says that it is.

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
  for (const row of inputs.querySelectorAll("[data-row]")) {
    const [name, kind, value] = ["name", "kind", "value"].map((each) => row.querySelector(`[data-${each}]`));
    for (const field of [name, value]) field.removeAttribute("aria-invalid");
    if (kind.value === "flag") {
      if (value.checked) found[name.value] = true;
      continue;
    }
    if (row.matches(".input-said") ? !value.value.trim() : !name.value && !value.value) continue;
    if (!name.value) return say("This input has no name.", name);
    if (Object.hasOwn(found, name.value)) return say(`There are two inputs of the name ${name.value}.`, name);
    if (kind.value !== "json") {
      found[name.value] = value.value;
      continue;
    }
    try {
      found[name.value] = JSON.parse(value.value);
    } catch {
      return say(`The value of ${name.value} is no JSON.`, value);
    }
  }
  return lacks(found) ? undefined : found;
}

/** Whether something is not there that the pipeline cannot do without, as REST would say; it is said. */
function lacks(found) {
  const fields = [...inputs.querySelectorAll("[data-need]")];
  const nameOf = (field) => field.closest("[data-row]").querySelector("[data-name]").value;
  const bare = fields.find((field) => field.dataset.need === "required" && !(nameOf(field) in found));
  if (bare) {
    say(`${nameOf(bare)} is needed.`, bare);
    return true;
  }
  const either = fields.filter((field) => field.dataset.need === "one_of");
  if (!either.length || either.some((field) => nameOf(field) in found)) return false;
  say(`Give one of ${either.map(nameOf).join(", ")}.`, either[0]);
  return true;
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
  if (event.target.matches("[data-file]")) fill(event.target.closest("[data-row]"), event.target.files[0]);
});
