// A reviewer's word on its way: sent until the server has taken or refused it.

function answer(verdict) {
  if (saving || current === null || view !== "one") return;
  if (document.querySelector(`[data-verdict="${verdict}"]`).disabled) return;
  if (!reviewer) return askName();
  const keys = [current, ...(isTogether() ? openAlike(current).filter((key) => !leftOut.has(key)) : [])];
  send({ verdict, keys, note: byId("note").value.trim() });
}

function withdraw(keys) {
  if (saving) return;
  send({ verdict: "WITHDRAWN", keys, note: "" });
}

function send({ verdict, keys, note }) {
  const seen = Object.fromEntries(keys.map((key) => [key, seenOf(key)]));
  deliver({ reviewer, verdict, note, seen });
}

/** Send a word until the server has taken or refused it; sending it twice does no harm. */
async function deliver(word) {
  saving = true;
  keep("unsaved", word);
  document.body.classList.add("saving");
  tell(say.saving);
  for (let pause = 500; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      const told = await ask("/api/answers", word);
      release();
      return settle(word, told);
    } catch (error) {
      if (error instanceof Refused && error.status < 500 && error.status !== 403) {
        release();
        return refuse(word, error);
      }
      alarm("unsaved", whyUnsaved(word, error));
      await patience(pause);
    }
  }
}

function release() {
  saving = false;
  keep("unsaved", null);
  document.body.classList.remove("saving");
  byId("retry").hidden = true;
  calm("unsaved");
}

function whyUnsaved(word, error) {
  const verdict = say.verdicts[word.verdict];
  const sentence = about(Object.keys(word.seen), say.unsaved, say.unsaved_more, { verdict });
  if (!(error instanceof Refused)) return sentence;
  return `${sentence} ${error.status === 403 ? say.stranger : fill(say.store_failed, { why: error.message })}`;
}

function patience(pause) {
  return new Promise((go) => {
    byId("retry").hidden = false;
    byId("retry").onclick = go;
    setTimeout(go, pause);
  });
}

function settle(word, told) {
  learnSome(told);
  tabs.postMessage({});
  const keys = Object.keys(word.seen);
  if (word.verdict === "WITHDRAWN") {
    tell(about(keys, say.withdrawn_one, say.withdrawn_more), true);
    forgetTrail(keys);
    show(keys[0]);
  } else {
    tell(about(keys, say.saved_one, say.saved_more, { verdict: say.verdicts[word.verdict] }), true);
    trail.push(keys);
    keep("trail", trail);
    keys.forEach((key) => skipped.delete(key));
    advance();
  }
}

function refuse(word, error) {
  const keys = Object.keys(word.seen);
  if (error.status === 409) {
    learnSome(error.told);
    stale = true;
    const undoing = word.verdict === "WITHDRAWN";
    if (undoing) forgetTrail(keys);
    drawAll();
    tell(undoing ? say.undo_refused : fill(say.changed, { count: number(error.told.changed.length) }));
  } else {
    tell(fill(say.not_taken, { why: error.message }));
  }
}

function undo() {
  if (saving) return;
  const keys = trail.at(-1)?.filter((key) => texts.has(key) && ownAnswer(key));
  if (!keys) return tell(say.nothing_to_undo);
  if (keys.length === 0) {
    forgetTrail(trail.at(-1));
    return undo();
  }
  withdraw(keys);
}

/** An answer that was taken back is no longer to be undone, however it was taken back. */
function forgetTrail(keys) {
  const gone = new Set(keys);
  const left = trail.map((line) => line.filter((key) => !gone.has(key))).filter((line) => line.length);
  trail.splice(0, trail.length, ...left);
  keep("trail", trail);
}

function skip() {
  if (saving || current === null || view !== "one") return;
  skipped.add(current);
  keep("skipped", [...skipped]);
  tell(fill(say.skipped, { text: inSentence(current) }));
  advance();
}
