// The dashboard outside of Jupyter: its widgets over one WebSocket. Models and messages are those of ipywidgets' protocol;
// our own widgets (anywidget) are loaded as they are, the few stock ones that the dashboard uses are drawn here.
// External text is set as text, never as markup.

const RETRY_MS = [500, 1000, 2000, 3000];
const SILENT_AFTER_MS = 4000; // the server sends a beat every second
const DISCONNECTED = "jupyter-widgets-disconnected";
const ENDED = "the server does not respond; this page reconnects by itself";

const make = (tag, className, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
};

// ---- frames: the length of a header, the header, buffers

function unpack(frame) {
  const length = new DataView(frame).getUint32(0);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(frame, 4, length)));
  let at = 4 + length;
  const buffers = header.lengths.map((size) => new DataView(frame, (at += size) - size, size));
  return { header, buffers };
}

function pack(header) {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const frame = new Uint8Array(4 + text.length);
  new DataView(frame.buffer).setUint32(0, text.length);
  frame.set(text, 4);
  return frame;
}

// ---- models

class Model {
  constructor(id, page) {
    Object.assign(this, { id, page, state: {}, changed: {}, listeners: new Map(), ready: undefined, close: undefined });
    this.listens = new Promise((resolve) => (this.begin = resolve)); // messages wait for it
  }

  get(key) {
    return this.state[key];
  }

  set(key, value) {
    const values = typeof key === "object" ? key : { [key]: value };
    Object.assign(this.changed, values);
    this.take(values);
  }

  save_changes() {
    const state = this.changed;
    this.changed = {};
    if (Object.keys(state).length) this.page.send(this.id, { method: "update", state, buffer_paths: [] });
  }

  send(content) {
    this.page.send(this.id, { method: "custom", content });
  }

  on(names, act) {
    for (const name of names.split(" ")) this.listeners.set(name, [...(this.listeners.get(name) ?? []), act]);
  }

  off(names, act) {
    for (const name of names?.split(" ") ?? [...this.listeners.keys()])
      this.listeners.set(name, act ? (this.listeners.get(name) ?? []).filter((one) => one !== act) : []);
  }

  emit(name, ...values) {
    for (const act of this.listeners.get(name) ?? []) act(...values);
  }

  // New values: from the kernel side, or from a view of this page.
  take(values) {
    const fresh = Object.keys(values).filter((key) => !same(this.state[key], values[key]));
    Object.assign(this.state, values);
    for (const key of fresh) this.emit(`change:${key}`, this, values[key]);
    if (fresh.length) this.emit("change", this);
  }

  // A widget of ours is loaded once; its messages wait until it listens.
  load() {
    this.ready ??= (async () => {
      const found = (await import(`/module/${this.get("_esm")}.js`)).default;
      const widget = typeof found === "function" ? await found() : found;
      this.close = await widget.initialize?.({ model: this });
      this.begin();
      return widget;
    })();
    return this.ready;
  }
}

const same = (one, other) => one === other || (typeof one === "object" && JSON.stringify(one) === JSON.stringify(other));

function putBuffers(state, paths, buffers) {
  paths.forEach((path, i) => {
    const last = path.at(-1);
    path.slice(0, -1).reduce((value, key) => value[key], state)[last] = buffers[i];
  });
}

// ---- views of stock widgets: each returns an element and keeps it up to date

const ICONS = { play: "\u25b6", stop: "\u25a0", pause: "\u2016", "chevron-left": "\u2039", "chevron-right": "\u203a", "step-forward": "\u00bb", "search-plus": "\u2295", times: "\u2715", undo: "\u21b6" };

function caption(model, box, field) {
  const text = box.appendChild(make("label", "widget-label"));
  field.id = `field-${model.id}`;
  text.htmlFor = field.id;
  return () => {
    text.textContent = model.get("description") ?? "";
    text.hidden = !text.textContent;
    const name = model.get("tooltip") || model.get("placeholder");
    if (name) field.title = name;
    if (text.hidden && name) field.setAttribute("aria-label", name);
    field.disabled = Boolean(model.get("disabled"));
  };
}

function save(model, key, value) {
  model.set(key, value);
  model.save_changes();
}

function box(direction) {
  return (model, page) => {
    const node = make("div", `widget-box widget-${direction}`);
    let shown = [];
    const draw = () => {
      const wanted = (model.get("children") ?? []).map((name) => name.replace("IPY_MODEL_", ""));
      if (same(wanted, shown.map(([id]) => id))) return;
      shown = wanted.map((id) => shown.find(([other]) => other === id) ?? [id, page.view(id)]);
      node.replaceChildren(...shown.map(([, child]) => child));
    };
    return { node, draw };
  };
}

function button(model) {
  const node = make("button", "jupyter-button widget-button");
  node.type = "button";
  node.addEventListener("click", () => model.send({ event: "click" }));
  const draw = () => {
    const text = model.get("description") ?? "";
    node.textContent = [ICONS[model.get("icon")], text].filter(Boolean).join(" ") || "\u2026";
    node.title = model.get("tooltip") ?? "";
    if (!text) node.setAttribute("aria-label", node.title || model.get("icon"));
    node.disabled = Boolean(model.get("disabled"));
  };
  return { node, draw };
}

function toggleButton(model) {
  const { node, draw } = button(model);
  node.addEventListener("click", () => save(model, "value", !model.get("value")));
  return {
    node,
    draw: () => {
      draw();
      node.setAttribute("aria-pressed", String(Boolean(model.get("value"))));
      node.classList.toggle("mod-active", Boolean(model.get("value")));
    },
  };
}

function toggleButtons(model) {
  const node = make("div", "widget-toggle-buttons");
  node.setAttribute("role", "group");
  const draw = () => {
    const labels = model.get("_options_labels") ?? [];
    node.setAttribute("aria-label", model.get("description") || model.get("tooltips")?.[0] || "choice");
    if (!same(labels, [...node.children].map((one) => one.textContent)))
      node.replaceChildren(
        ...labels.map((label, at) => {
          const one = make("button", "jupyter-button widget-toggle-button", label);
          one.type = "button";
          one.addEventListener("click", () => save(model, "index", at));
          return one;
        }),
      );
    [...node.children].forEach((one, at) => {
      one.classList.toggle("mod-active", at === model.get("index"));
      one.setAttribute("aria-pressed", String(at === model.get("index")));
      one.title = model.get("tooltips")?.[at] ?? "";
      one.disabled = Boolean(model.get("disabled"));
    });
  };
  return { node, draw };
}

function input(type) {
  return (model) => {
    const node = make("div", `widget-inline widget-${type}`);
    const field = make(type === "textarea" ? "textarea" : "input");
    if (type !== "textarea") field.type = type;
    const name = caption(model, node, field);
    node.append(field);
    const isNumber = type === "number";
    const read = () => (isNumber ? Number(field.value) : field.value);
    const now = () => save(model, "value", read());
    field.addEventListener("input", () => model.get("continuous_update") !== false && !isNumber && now());
    field.addEventListener("change", now);
    field.addEventListener("keydown", (event) => event.key === "Enter" && model.send({ event: "submit" }));
    const draw = () => {
      name();
      field.placeholder = model.get("placeholder") ?? "";
      const value = String(model.get("value") ?? "");
      if (field.value !== value) field.value = value;
    };
    return { node, draw };
  };
}

function checkbox(model) {
  const node = make("div", "widget-inline widget-checkbox");
  const field = make("input");
  field.type = "checkbox";
  const name = caption(model, node, field);
  node.prepend(field);
  field.addEventListener("change", () => save(model, "value", field.checked));
  return { node, draw: () => (name(), (field.checked = Boolean(model.get("value")))) };
}

function dropdown(model) {
  const node = make("div", "widget-inline widget-dropdown");
  const field = make("select");
  const name = caption(model, node, field);
  node.append(field);
  field.addEventListener("change", () => save(model, "index", field.selectedIndex));
  const draw = () => {
    name();
    const labels = model.get("_options_labels") ?? [];
    if (!same(labels, [...field.options].map((one) => one.text)))
      field.replaceChildren(...labels.map((label) => make("option", "", label)));
    field.selectedIndex = model.get("index") ?? -1;
  };
  return { node, draw };
}

function slider(model) {
  const node = make("div", "widget-inline widget-slider");
  const field = make("input");
  field.type = "range";
  const name = caption(model, node, field);
  const readout = make("output", "widget-readout");
  node.append(field, readout);
  const labels = () => model.get("_options_labels");
  const text = (value) => {
    const digits = /\.(\d+)f/.exec(model.get("readout_format") ?? "")?.[1];
    return labels()?.[value] ?? (digits === undefined ? String(value) : Number(value).toFixed(Number(digits)));
  };
  const key = () => (labels() ? "index" : "value");
  field.addEventListener("input", () => {
    readout.textContent = text(Number(field.value));
    if (model.get("continuous_update")) save(model, key(), Number(field.value));
  });
  field.addEventListener("change", () => save(model, key(), Number(field.value)));
  const draw = () => {
    name();
    const ends = labels() ? [0, labels().length - 1, 1] : [model.get("min"), model.get("max"), model.get("step") ?? "any"];
    [field.min, field.max, field.step] = ends.map(String);
    field.value = String(model.get(key()) ?? 0);
    readout.textContent = text(model.get(key()));
    readout.hidden = model.get("readout") === false;
  };
  return { node, draw };
}

function progress(model) {
  const node = make("div", "widget-inline widget-progress");
  const bar = make("progress");
  const name = caption(model, node, bar);
  node.append(bar);
  const draw = () => {
    name();
    bar.setAttribute("aria-label", model.get("description") || "progress");
    bar.max = (model.get("max") ?? 1) - (model.get("min") ?? 0);
    bar.value = (model.get("value") ?? 0) - (model.get("min") ?? 0);
  };
  return { node, draw };
}

function label(model) {
  const node = make("div", "widget-inline widget-label");
  return { node, draw: () => (node.textContent = model.get("value") ?? "") };
}

const STOCK = {
  BoxModel: box("hbox"),
  HBoxModel: box("hbox"),
  VBoxModel: box("vbox"),
  ButtonModel: button,
  CheckboxModel: checkbox,
  ComboboxModel: input("text"),
  DropdownModel: dropdown,
  FloatProgressModel: progress,
  FloatSliderModel: slider,
  FloatTextModel: input("number"),
  HTMLModel: label, // as text: no markup of ours is worth a hole
  IntProgressModel: progress,
  IntSliderModel: slider,
  IntTextModel: input("number"),
  LabelModel: label,
  SelectionSliderModel: slider,
  TextModel: input("text"),
  TextareaModel: input("textarea"),
  ToggleButtonModel: toggleButton,
  ToggleButtonsModel: toggleButtons,
  BoundedFloatTextModel: input("number"),
  BoundedIntTextModel: input("number"),
};

// ---- the page: one connection, all models, one root

class Page {
  constructor(host, note) {
    Object.assign(this, { host, note, models: new Map(), cleanups: [], attempt: 0, heard: 0, socket: undefined });
    this.styles = document.head.appendChild(make("style"));
    setInterval(() => this.checkBeat(), 500);
  }

  connect() {
    const token = new URLSearchParams(location.search).get("token") ?? "";
    const socket = new WebSocket(`ws://${location.host}/socket?token=${encodeURIComponent(token)}`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.heard = performance.now();
    socket.addEventListener("open", () => this.begin());
    socket.addEventListener("message", ({ data }) => this.receive(data));
    socket.addEventListener("close", () => this.lost(socket));
  }

  begin() {
    this.attempt = 0;
    for (const act of this.cleanups.splice(0)) act();
    for (const model of this.models.values()) model.close?.();
    this.models.clear();
    this.heard = performance.now();
  }

  lost(socket) {
    if (socket !== this.socket) return;
    this.say(ENDED);
    setTimeout(() => this.connect(), RETRY_MS[Math.min(this.attempt++, RETRY_MS.length - 1)]);
  }

  checkBeat() {
    const open = this.socket?.readyState === WebSocket.OPEN;
    if (open) this.say(performance.now() - this.heard > SILENT_AFTER_MS ? ENDED : "");
  }

  say(problem) {
    const isGone = Boolean(problem);
    this.host.classList.toggle(DISCONNECTED, isGone);
    this.host.dataset.gone = problem;
    this.note.hidden = !isGone;
    const text = isGone ? `Disconnected: ${problem}.` : "";
    if (this.note.textContent !== text) this.note.textContent = text;
  }

  send(id, data) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(pack({ comm: id, data, lengths: [] }));
  }

  receive(frame) {
    const { header, buffers } = unpack(frame);
    this.heard = performance.now();
    const { kind, comm, data } = header;
    if (kind === "root") return this.show(comm);
    if (kind === "close") return void this.models.delete(comm);
    if (kind !== "open" && kind !== "msg") return;
    const model = this.models.get(comm) ?? new Model(comm, this);
    this.models.set(comm, model);
    if (data.state) {
      putBuffers(data.state, data.buffer_paths ?? [], buffers);
      model.take(data.state);
    } else if (data.method === "custom") {
      const act = () => model.emit("msg:custom", data.content, buffers);
      if (model.get("_esm")) model.listens.then(act);
      else act();
    }
  }

  show(id) {
    const css = new Set([...this.models.values()].map((model) => model.get("_css")).filter(Boolean));
    this.styles.textContent = [...css].join("\n");
    this.host.replaceChildren(this.view(id));
    this.host.dataset.shown = id;
  }

  view(id) {
    const model = this.models.get(id);
    if (!model) return make("div", "", "");
    const name = model.get("_model_name");
    const stock = STOCK[name];
    const view = stock ? stock(model, this) : { node: make("div"), draw: () => {} };
    const dress = () => this.dress(model, view.node);
    const draw = () => {
      view.draw();
      dress();
    };
    view.node.classList.add("jupyter-widgets");
    model.on("change", draw);
    this.cleanups.push(() => model.off("change", draw));
    for (const detail of ["layout", "style"]) {
      const other = this.models.get(String(model.get(detail) ?? "").replace("IPY_MODEL_", ""));
      other?.on("change", dress);
    }
    draw();
    if (!stock && model.get("_esm")) this.render(model, view.node);
    else if (!stock) view.node.textContent = `${name} cannot be shown outside of Jupyter`;
    return view.node;
  }

  async render(model, el) {
    try {
      const widget = await model.load();
      const cleanup = await widget.render?.({ model, el });
      if (cleanup) this.cleanups.push(cleanup);
    } catch (error) {
      el.textContent = `This part could not be drawn: ${error.message}`;
      throw error;
    }
  }

  dress(model, node) {
    const find = (key) => this.models.get(String(model.get(key) ?? "").replace("IPY_MODEL_", ""));
    for (const name of model.get("_dom_classes") ?? []) node.classList.add(name);
    for (const [key, value] of Object.entries(find("layout")?.state ?? {}))
      if (!key.startsWith("_")) node.style.setProperty(key.replace("grid_gap", "gap").replaceAll("_", "-"), value ?? "");
    const width = find("style")?.get("button_width");
    if (width) for (const one of node.querySelectorAll("button")) one.style.minWidth = width;
  }
}

// Widgets watch this attribute of JupyterLab to follow the theme.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const theme = () => (document.body.dataset.jpThemeLight = String(!dark.matches));
dark.addEventListener("change", theme);
theme();
new Page(document.getElementById("dashboard"), document.getElementById("note")).connect();
