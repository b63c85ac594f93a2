// Speaking with the server, and saying so when it does not answer.

class Refused extends Error {
  constructor(status, told) {
    super(told.error ?? "");
    this.status = status;
    this.told = told;
  }
}

async function ask(path, body) {
  const options = { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) };
  if (body !== undefined) {
    options.method = "POST";
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  const told = await response.json();
  if (!response.ok) throw new Refused(response.status, told);
  return told;
}

let alarmed = ""; // what the alarm is about

function alarm(about_, sentence) {
  alarmed = about_;
  const place = byId("alarm");
  if (place.textContent !== sentence) place.textContent = sentence;
}

function calm(about_) {
  if (alarmed === about_) alarm("", "");
}

function tell(sentence, good = false) {
  byId("status").textContent = sentence;
  byId("status").classList.toggle("good", good);
}

async function poll() {
  if (saving) return;
  try {
    const told = await ask(`/api/said?seen=${revision}`);
    if (alarmed === "offline") tell(say.back_again);
    calm("offline");
    if (saving || !told.said) return;
    const before = current === null ? "" : seenOf(current);
    learnAll(told);
    noticeOthers(before);
  } catch (error) {
    if (!alarmed) alarm("offline", error.status === 403 ? say.stranger : say.offline);
  }
}

/** Another window of this browser has saved something, or somebody else sits down before it. */
function hear({ data }) {
  if (revision === null) return; // not yet loaded
  if (data.reviewer) reviewer = data.reviewer;
  drawAll();
  poll();
}

/** What others said meanwhile: the text on the screen stays, with a notice. */
function noticeOthers(before) {
  if (current !== null && seenOf(current) !== before) stale = true;
  if (current === null && nextKey() !== null && view === "one") return advance();
  drawAll();
}
