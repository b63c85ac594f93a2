// One text at a time.

function advance() {
  const key = nextKey();
  if (key === null) finish();
  else show(key);
}

function show(key, { focus = true } = {}) {
  current = key;
  keep("current", key);
  stale = false;
  leftOut = new Set();
  byId("note").value = "";
  if (byId("together")) {
    byId("together").checked = false;
    byId("alike").replaceChildren();
    byId("alike").dataset.keys = "";
  }
  setView("one");
  drawAll();
  window.scrollTo(0, 0);
  if (focus) byId("text").focus({ preventScroll: true });
  readMore(key);
}

function finish() {
  current = null;
  keep("current", null);
  setView("one");
  drawAll();
  byId("done-heading").focus();
}

function draw(key) {
  const text = texts.get(key);
  const keys = [...texts.keys()];
  drawText(text.text);
  byId("place").textContent = fill(say.place, { place: number(keys.indexOf(key) + 1), all: number(keys.length) });
  drawStanding(key);
  for (const button of document.querySelectorAll("[data-verdict]")) drawChoice(button, text, key);
  if (facts.blind) return;
  byId("weight").textContent = fill(say.rows, { rows: number(text.rows) });
  byId("why").textContent = facts.reasons[text.reason] ?? "";
  byId("suggested").textContent = text.suggestion
    ? `${say.verdicts[text.suggestion]} · ${percent(text.confidence)}`
    : say.no_suggestion;
  byId("when").textContent = whenSeen(text);
  drawAlike(key);
}

function drawText(words) {
  const place = byId("text");
  const shown = shownText(words);
  if (place.textContent !== shown) place.textContent = shown;
  place.dataset.size = shown.length > 90 ? "long" : shown.length > 28 ? "middle" : "short";
  place.tabIndex = place.dataset.size === "long" ? 0 : -1; // what may have to be scrolled can be reached
  place.classList.toggle("void", !words);
}

function drawStanding(key) {
  const state = stateOf(key);
  const place = byId("stands");
  place.hidden = state === "open";
  place.className = stale || state === "split" ? "stands notice" : "stands";
  const sentence = state === "split" ? say.conflict : stale ? say.elsewhere : say.answered;
  place.textContent = state === "open" ? "" : fill(sentence, { said: allSaid(key) });
  byId("withdraw").hidden = !ownAnswer(key);
}

function drawChoice(button, text, key) {
  button.disabled = text.text === null && button.dataset.verdict !== "NEITHER"; // no value has no half of the day
  const own = ownAnswer(key)?.verdict === button.dataset.verdict;
  button.setAttribute("aria-pressed", String(own));
  const suggested = text.suggestion === button.dataset.verdict;
  button.classList.toggle("suggested", suggested && text.confidence > COIN_TOSS);
  if (button.dataset.verdict !== "NEITHER") {
    button.querySelector(".hint").textContent = suggested
      ? fill(say.suggested, { confidence: percent(text.confidence) })
      : "";
  }
}

function whenSeen(text) {
  if (!text.first || !text.last) return "–";
  const dates = { first: day(text.first), last: day(text.last) };
  return fill(dates.first === dates.last ? say.once : say.span, dates);
}

/** The text whole and what was read in it; asked for when it is on the screen. */
async function readMore(key) {
  drawPieces(null);
  try {
    const told = await ask(`/api/texts/${key}`);
    if (current !== key) return;
    drawText(told.text);
    drawPieces(told);
  } catch (error) {
    if (!alarmed) alarm("offline", error.status === 403 ? say.stranger : say.offline);
  }
}

function drawPieces(told) {
  if (facts.blind) return;
  const none = told && !told.pieces.length ? [element("li", "soft", say.unread)] : [];
  byId("pieces").replaceChildren(...none, ...(told?.pieces ?? []).map(piece));
  byId("may-be").hidden = !told?.readings.length;
  byId("readings").replaceChildren(...(told?.readings ?? []).map(reading));
}

function piece({ kind, text }) {
  const item = element("li", `piece ${kind}`);
  item.append(element("b", "", text), element("span", "", say.kinds[kind]));
  return item;
}

function reading({ text, times, reason }) {
  const line = element("div", "reading");
  const words = reason ? facts.reasons[reason] : times.join(say.or);
  line.append(element("b", "", text), element("span", "", words));
  return line;
}

function element(name, classes = "", words = undefined) {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  if (words !== undefined) made.textContent = words;
  return made;
}
