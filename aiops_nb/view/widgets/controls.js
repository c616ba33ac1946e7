// The box for URLs, the list of targets, other sources, downloads, the recording. External text is set as text, never
// as markup. The page only asks; what is shown is what the kernel says is so.

const make = (tag, className, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
};

const button = (text, act, label) => {
  const node = make("button", "aiops-small", text);
  node.type = "button";
  if (label) node.setAttribute("aria-label", label);
  node.addEventListener("click", act);
  return node;
};

const input = (label, placeholder, width, type = "text") => {
  const node = make("input", "aiops-input");
  Object.assign(node, { type, placeholder, spellcheck: false, autocomplete: "off" });
  node.setAttribute("aria-label", label);
  node.style.width = width;
  // the notebook must not take what is typed here for its own keys
  node.addEventListener("keydown", (event) => event.stopPropagation());
  return node;
};

const select = (label, options) => {
  const node = make("select", "aiops-input");
  node.setAttribute("aria-label", label);
  for (const [value, text] of options) node.appendChild(Object.assign(make("option", "", text), { value }));
  return node;
};

const labelled = (text, field) => {
  const node = make("label", "aiops-field", `${text} `);
  node.appendChild(field);
  return node;
};

// ---- what went wrong is said next to the field, and forgotten when something is typed

const answers = () => {
  const places = new Map();
  return {
    place(field) {
      const node = make("span", "aiops-answer");
      node.setAttribute("role", "status");
      places.set(field, node);
      return node;
    },
    say(field, text, isProblem) {
      const node = places.get(field);
      if (!node) return;
      node.textContent = isProblem ? `\u26a0 ${text}` : text;
      node.classList.toggle("aiops-problem", isProblem);
    },
  };
};

// ---- targets

const AS_WRITTEN = /^[a-z][a-z0-9+.-]*:\/\//i;

function targetForm(model, said) {
  const form = make("form", "aiops-add");
  const url = input("URL to watch", "Watch a URL: https://example.org/health", "min(330px, 60vw)", "url");
  const every = input("interval in seconds", model.get("interval"), "64px");
  const submit = make("button", "aiops-small aiops-main", "Watch");
  form.noValidate = true; // the kernel's words are better than the browser's
  form.append(url, labelled("every", every), make("span", "aiops-hint", "s"), submit, said.place("add"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = url.value.trim();
    if (!text) return said.say("add", "write a URL such as https://example.org/health", true);
    said.say("add", "\u2026", false);
    const asked = AS_WRITTEN.test(text) ? text : `http://${text}`;
    model.send({ kind: "add_target", field: "add", url: asked, interval: every.value.trim() });
  });
  url.addEventListener("input", () => said.say("add", "", false));
  return { form, clear: () => ((url.value = ""), (every.value = "")) };
}

function targetRow(target, model) {
  const row = make("tr");
  const ask = (kind, more = {}) => () => model.send({ kind, field: "targets", name: target.name, ...more });
  const isPaused = target.state === "paused";
  const name = make("td", "aiops-name", target.shown);
  name.title = target.url;
  const every = input(`interval of ${target.shown} in seconds`, "", "56px");
  every.value = target.interval;
  const change = () =>
    every.value !== target.interval && model.send({ kind: "set_interval", field: "targets", name: target.name, interval: every.value });
  every.addEventListener("change", change);
  const interval = make("td");
  interval.append(every, make("span", "aiops-hint", " s"));
  const acts = make("td", "aiops-acts");
  acts.append(
    isPaused
      ? button("Resume", ask("resume_target"), `Resume ${target.shown}`)
      : button("Pause", ask("pause_target"), `Pause ${target.shown}`),
    button("Remove", ask("remove_target"), `Remove ${target.shown}`),
  );
  row.append(name, make("td", "aiops-state", isPaused ? "\u23f8 paused" : "active"), interval, acts);
  return row;
}

function targetList(model, said) {
  const box = make("details", "aiops-drawer");
  const summary = box.appendChild(make("summary"));
  const search = box.appendChild(input("find a target", "Find a target...", "220px"));
  const scroll = box.appendChild(make("div", "aiops-list"));
  const table = scroll.appendChild(make("table"));
  box.appendChild(said.place("targets"));
  const MOST = 200;
  let shown = "";
  const draw = () => {
    const targets = model.get("targets");
    const paused = targets.filter((one) => one.state === "paused").length;
    summary.textContent = `Targets: ${targets.length}${paused ? `, ${paused} paused` : ""}`;
    search.hidden = targets.length <= 8;
    const text = search.value.toLowerCase();
    const chosen = targets.filter((one) => `${one.shown} ${one.url}`.toLowerCase().includes(text));
    const now = JSON.stringify([chosen.slice(0, MOST), chosen.length]);
    if (now === shown || table.contains(document.activeElement?.closest?.("input"))) return;
    shown = now;
    table.replaceChildren(...chosen.slice(0, MOST).map((one) => targetRow(one, model)));
    if (chosen.length > MOST) table.append(make("tr", "aiops-hint", `and ${chosen.length - MOST} more: find them above`));
    if (!targets.length) table.append(make("tr", "aiops-hint", "No URL is watched yet."));
  };
  search.addEventListener("input", draw);
  table.addEventListener("focusout", () => setTimeout(draw));
  return { box, draw };
}

// ---- other sources

const TYPES = {
  access_log: ["Access log", [["path", "path, e.g. /var/log/nginx/access.log", "260px"]]],
  websocket: ["WebSocket feed", [["url", "ws://host:port/path", "260px"]]],
  tcp_client: ["TCP: connect to a server", [["host", "host", "150px"], ["port", "port", "70px"]]],
  tcp_listener: ["TCP: listen on a local port", [["port", "port", "70px"]]],
  udp_listener: ["UDP: listen on a local port", [["port", "port", "70px"]]],
  synthetic: ["Synthetic traffic", [["targets", "targets, e.g. 3", "110px"], ["rate_hz", "requests/s, e.g. 10", "140px"]]],
};

function sourceList(model, said) {
  const box = make("details", "aiops-drawer");
  const summary = box.appendChild(make("summary"));
  const list = box.appendChild(make("div", "aiops-list"));
  const form = box.appendChild(make("form", "aiops-add"));
  const type = select("kind of source", Object.entries(TYPES).map(([key, [text]]) => [key, text]));
  const fields = make("span", "aiops-fields");
  const name = input("name of the source", "name (optional)", "120px");
  const offer = () => {
    fields.replaceChildren(...TYPES[type.value][1].map(([key, hint, width]) => Object.assign(input(key, hint, width), { name: key })));
    said.say("source", "", false);
  };
  type.addEventListener("change", offer);
  offer();
  form.append(type, fields, name, make("button", "aiops-small aiops-main", "Add source"), said.place("source"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const options = { type: type.value };
    for (const field of fields.children) if (field.value.trim()) options[field.name] = field.value.trim();
    if (name.value.trim()) options.name = name.value.trim();
    said.say("source", "\u2026", false);
    model.send({ kind: "add_source", field: "source", options });
  });
  const draw = () => {
    const sources = model.get("sources");
    summary.textContent = `Other sources: ${sources.length || "none"}`;
    list.replaceChildren(
      ...sources.map((one) => {
        const row = make("div", "aiops-line");
        row.append(make("span", "aiops-name", one), button("Remove", () => model.send({ kind: "remove_source", field: "source", name: one }), `Remove ${one}`));
        return row;
      }),
    );
  };
  return { box, draw };
}

// ---- downloads and recording

const TABLES = ["requests", "samples", "features", "scores", "alerts"].map((one) => [one, one]);
const FORMATS = [["csv", "CSV"], ["jsonl", "JSON lines"], ["parquet", "Parquet"]];

function dataBox(model, said, canChange) {
  const box = make("details", "aiops-drawer");
  const summary = box.appendChild(make("summary"));
  const table = select("table", TABLES);
  const range = select("range", [["shown", "the range shown"], ["selection", "the selected range"], ["all", "everything kept"]]);
  const format = select("format", FORMATS);
  const line = box.appendChild(make("div", "aiops-line"));
  const download = button("Download", () => {
    said.say("download", "\u2026", false);
    model.send({ kind: "download", field: "download", table: table.value, range: range.value, format: format.value });
  });
  download.classList.add("aiops-main");
  line.append(table, range, format, download, said.place("download"));
  const record = box.appendChild(make("div", "aiops-line"));
  const folder = input("folder of the recording", "folder, e.g. recordings/today", "220px");
  const ask = (path) => {
    said.say("record", "\u2026", false);
    model.send({ kind: "record", field: "record", path });
  };
  const start = button("Record", () => folder.value.trim() && ask(folder.value.trim()));
  const stop = button("Stop recording", () => ask(""));
  const state = make("span", "aiops-name");
  const yaml = button("Save as YAML", () => model.send({ kind: "yaml", field: "yaml" }));
  record.append(state, folder, start, stop, said.place("record"));
  const config = box.appendChild(make("div", "aiops-line"));
  config.append(make("span", "", "What is watched, as a configuration:"), yaml, said.place("yaml"));
  record.hidden = config.hidden = !canChange;
  const draw = () => {
    const path = model.get("recording");
    const selection = model.get("selection");
    summary.textContent = canChange ? `Data: ${path ? "\u25cf recording" : "not recorded"}` : "Data";
    state.textContent = path ? `\u25cf recording to ${path}` : "Not recorded.";
    folder.hidden = start.hidden = Boolean(path);
    stop.hidden = !path;
    const option = range.querySelector("[value=selection]");
    option.disabled = !selection;
    option.textContent = selection ? `the selected range (${selection})` : "the selected range (none: drag over a chart)";
    if (!selection && range.value === "selection") range.value = "shown";
  };
  return { box, draw };
}

function save(name, buffer) {
  const url = URL.createObjectURL(new Blob([buffer]));
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  document.body.appendChild(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function render({ model, el }) {
  el.classList.add("aiops-controls");
  const said = answers();
  const canChange = model.get("can_change");
  const form = targetForm(model, said);
  const targets = targetList(model, said);
  const sources = sourceList(model, said);
  const data = dataBox(model, said, canChange);
  const drawers = make("div", "aiops-drawers");
  if (canChange) el.append(form.form);
  drawers.append(...(canChange ? [targets.box, sources.box] : []), data.box);
  el.append(drawers);
  const draw = () => {
    for (const part of [targets, sources, data]) part.draw();
  };
  const receive = (content, buffers) => {
    if (content.kind === "file") save(content.name, buffers[0]);
    if (content.kind !== "answer") return;
    said.say(content.field, content.problem || content.done, Boolean(content.problem));
    if (content.field === "add" && !content.problem) form.clear();
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
