// What can be done with the selected range. External text is set as text, never as markup. The page only asks.

const make = (tag, className, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
};

const button = (text, act, title) => {
  const node = make("button", "aiops-small", text);
  node.type = "button";
  if (title) node.title = title;
  node.addEventListener("click", act);
  return node;
};

function render({ model, el }) {
  el.classList.add("aiops-controls", "aiops-selection");
  const line = el.appendChild(make("div", "aiops-line"));
  const what = make("span", "aiops-name");
  const said = make("span", "aiops-answer");
  said.setAttribute("role", "status");
  const ask = (kind, more = {}) => () => {
    said.classList.remove("aiops-problem");
    said.textContent = "\u2026";
    code.hidden = true;
    model.send({ kind, field: "selection", ...more });
  };
  const act = (kind) => () => model.send({ kind });
  const hold = make("select", "aiops-input");
  hold.setAttribute("aria-label", "how long to silence");
  for (const [seconds, text] of [[1800, "30 min"], [7200, "2 h"], [28800, "8 h"], [86400, "24 h"]])
    hold.appendChild(Object.assign(make("option", "", text), { value: seconds }));
  hold.value = "7200";
  const note = make("input", "aiops-input");
  Object.assign(note, { placeholder: "note, e.g. deploy v42", spellcheck: false, autocomplete: "off" });
  note.setAttribute("aria-label", "note of the label or the mark");
  note.style.width = "160px";
  const silence = button("Silence", (event) => ask("silence_selection", { seconds: Number(hold.value) })(event), "Notify nobody of alerts of these targets, from now on");
  const setMark = () => ask("mark_selection", { text: note.value.trim() })();
  note.addEventListener("keydown", (event) => {
    event.stopPropagation(); // the notebook must not take what is typed here for its own keys
    if (event.key === "Enter" && note.value.trim()) setMark();
  });
  const mark = button("Mark", setMark, "Note what was done at the start of the range; shown in every chart");
  const kind = make("select", "aiops-input");
  kind.setAttribute("aria-label", "kind of label");
  for (const one of ["fault", "slow", "outage", "errors", "maintenance", "noise"])
    kind.appendChild(Object.assign(make("option", "", one), { value: one }));
  const label = button("Label", () => ask("label_selection", { kind_of_label: kind.value, text: note.value.trim() })(), "Note what was wrong in this range, next to the recording");
  const undo = button("", ask("undo"));
  const replay = button("Replay\u2026", ask("replay_selection"), "Code that replays this range in the same dashboard");
  const code = el.appendChild(make("pre", "aiops-code"));
  code.hidden = true;
  line.append(
    what,
    button("Zoom in", act("zoom"), "Show the selected range"),
    button("Export CSV", ask("export_selection"), "Download the requests of this range"),
    replay, silence, hold, label, kind, mark, note,
    button("Clear", act("clear"), "Select nothing"),
    said, undo,
  );
  const draw = () => {
    const text = model.get("text");
    el.hidden = line.hidden = !text;
    what.textContent = text ? `Selected: ${text}` : "";
    what.title = model.get("targets_text");
    for (const node of [silence, hold, mark]) node.hidden = !model.get("can_command");
    for (const node of [label, kind]) node.hidden = !model.get("can_label");
    note.hidden = !model.get("can_command") && !model.get("can_label");
    replay.hidden = !model.get("can_replay");
    undo.hidden = !model.get("undo");
    undo.textContent = model.get("undo") ? `Undo: ${model.get("undo")}` : "";
    if (!text) (said.textContent = ""), (code.hidden = true);
  };
  const receive = (content) => {
    if (content.kind !== "answer") return;
    const isCode = !content.problem && content.done.includes("\n");
    said.textContent = content.problem ? `\u26a0 ${content.problem}` : isCode ? "run this in a cell:" : content.done;
    said.classList.toggle("aiops-problem", Boolean(content.problem));
    code.hidden = !isCode;
    code.textContent = isCode ? content.done : "";
  };
  model.on("change", draw);
  model.on("msg:custom", receive);
  draw();
  return () => {
    model.off("change", draw);
    model.off("msg:custom", receive);
  };
}

export default { render };
