// The trail of one run: each event that comes is put behind the last, once; the same words as the server writes.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const list = document.getElementById("trail");
const MOST = 1000;

function value(told) {
  if (typeof told === "boolean") return told ? "yes" : "no";
  return typeof told === "object" ? JSON.stringify(told) : String(told);
}

export function words(event) {
  const parts = [event.event.replaceAll("_", " ")];
  if (event.stage !== null) parts.push(event.stage);
  if (event.attempt) parts.push(`attempt ${event.attempt}`);
  for (const [name, told] of Object.entries(event.data)) {
    if (told !== null) parts.push(`${name.replaceAll("_", " ")}: ${value(told)}`);
  }
  return parts.join(" · ");
}

export function clock(at) {
  const [day, time] = at.split("T");
  const [, month, date] = day.split("-");
  return `${MONTHS[Number(month) - 1]} ${date}, ${time.slice(0, 8)}`;
}

function add(event) {
  if (event.run !== list.dataset.run || event.position <= Number(list.dataset.last)) return;
  list.dataset.last = event.position;
  if (list.dataset.older !== undefined) return; // an older page of it stays as it is
  const low = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  const line = document.createElement("li");
  line.className = "new";
  line.dataset.position = event.position;
  const time = document.createElement("time");
  time.dateTime = event.at;
  time.textContent = clock(event.at);
  const told = document.createElement("span");
  told.textContent = words(event);
  line.append(time, told);
  list.append(line);
  while (list.children.length > MOST) list.firstElementChild.remove();
  document.getElementById("trail-empty")?.remove();
  if (low) list.scrollTop = list.scrollHeight;
}

if (list) {
  list.scrollTop = list.scrollHeight;
  document.addEventListener("console:news", ({ detail }) => {
    if (detail.kind === "run") add(detail.told);
    else if (detail.kind === "gap" && list.dataset.older === undefined) location.reload(); // others than before
  });
}
