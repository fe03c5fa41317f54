// What happens, as it happens: each event once, the latest first, no more than fit. The server gave the lines up to
// the place that live.js begins behind, and the stream gives each event behind it in order, through reconnects.

import { part } from "./request.js";

const MOST = 150;
const feed = document.getElementById("feed");
const none = document.getElementById("feed-none");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function span(name, words) {
  const made = document.createElement("span");
  made.className = name;
  made.textContent = words;
  return made;
}

function when(at) {
  const made = document.createElement("time");
  const [date, time] = at.split("T");
  made.dateTime = at;
  made.textContent = `${MONTHS[Number(date.slice(5, 7)) - 1]} ${date.slice(8)}, ${time.slice(0, 8)}`;
  return made;
}

function link(room, name) {
  const made = document.createElement("a");
  made.href = `/${room}/${part(name)}`;
  made.textContent = name;
  return made;
}

function put(...parts) {
  const line = document.createElement("li");
  parts.forEach((each, number) => line.append(...(number ? [" ", each] : [each])));
  feed.prepend(line);
  while (feed.children.length > MOST) feed.lastElementChild.remove();
  none.hidden = true;
}

document.addEventListener("console:news", ({ detail: { kind, told } }) => {
  if (kind === "gap") {
    put(span("soft", "Some events before this are not kept any more."));
  } else if (kind === "run") {
    const stage = told.stage ? [span("soft", told.stage)] : [];
    put(when(told.at), link("runs", told.run), span("kind", told.event.replaceAll("_", " ")), ...stage);
  } else {
    const whose = told.request_id ? link("jobs", told.request_id) : "the queue";
    put(when(told.at), whose, span("kind", told.kind.replaceAll("_", " ")));
  }
});
