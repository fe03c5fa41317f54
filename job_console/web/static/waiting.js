// How many gates wait for a decision, beside the word in the navigation, as things are.

const GATES = ["gate_pause", "gate_approved", "gate_rejected", "gate_voided", "job_canceled", "stage_retried"];
const PAUSE_MS = 300;
const shown = document.getElementById("gates-waiting");
let timer = 0;
let asked = 0;
let answered = 0; // which question the number that is shown answers

async function count() {
  timer = 0;
  const mine = ++asked;
  try {
    const answer = await fetch("/api/v1/gates/count", { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const { waiting } = await answer.json();
    if (mine < answered) return; // it counted before the one that is shown
    answered = mine;
    shown.textContent = waiting;
    shown.hidden = !waiting;
    shown.setAttribute("aria-label", waiting === 1 ? "1 gate waits" : `${waiting} gates wait`);
  } catch {
    // the page says elsewhere that the console does not answer; the next event counts again
  }
}

function soon() {
  timer ||= setTimeout(count, PAUSE_MS);
}

if (shown) {
  document.addEventListener("console:news", ({ detail }) => {
    if (detail.kind === "gap" || GATES.includes(detail.told.event)) soon();
  });
  count();
}
