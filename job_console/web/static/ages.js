// How long something lasts goes on while the page stands: `<time data-age datetime="...">`, by the console's clock.

const EVERY_MS = 10_000;
const ahead = Number(document.body.dataset.now) * 1000 - Date.now(); // of this computer's clock

/** As the server writes a duration (lib.units), without tenths: 12s, 4m05s, 2h07m, 3d04h. */
function words(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h${two(Math.floor((whole % 3600) / 60))}m`;
  return `${Math.floor(whole / 86_400)}d${two(Math.floor((whole % 86_400) / 3600))}h`;
}

setInterval(() => {
  for (const each of document.querySelectorAll("time[data-age]")) {
    each.textContent = words((Date.now() + ahead - Date.parse(each.dateTime)) / 1000);
  }
}, EVERY_MS);
