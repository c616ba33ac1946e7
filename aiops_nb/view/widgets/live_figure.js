// A Bokeh document that lives in the kernel, drawn by any number of views in this page.
//
// The picture never waits for an answer from the kernel, because a message from the page may be lost. The model keeps
// the last snapshot (sent with the widget's state, and again as a keyframe) and every later patch; a view is made of
// these. A hello is sent only after a gap in the numbers, and the next keyframe would repair that too.

const PAGE = (window.__aiops_nb ??= { bokeh: {}, resyncs: 0, loaded_by: null });
const FILES = ["bokeh.min.js", "bokeh-widgets.min.js", "bokeh-tables.min.js"];
const SILENT_AFTER_MS = 6000;
const GONE_TEXT = "The kernel was restarted; monitoring has stopped. Run the cells again.";

const retry = (ask, done, wait = 1500) => {
  ask();
  setTimeout(() => done() || retry(ask, done, Math.min(wait * 2, 20000)), wait);
};

const script = (src) =>
  new Promise((resolve, reject) => {
    const tag = Object.assign(document.createElement("script"), { src, async: false, onload: resolve });
    tag.onerror = () => reject(new Error(`cannot load ${src}`));
    document.head.appendChild(tag);
  });

const installed = (version) => window.Bokeh?.[version] ?? (window.Bokeh?.version === version ? window.Bokeh : undefined);

async function loadByUrl(version) {
  const config = JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "{}");
  if (!config.baseUrl) throw new Error("no Jupyter server is known to this page");
  const base = `${config.baseUrl}aiops_nb/bokeh/${version}/`;
  const probe = await fetch(base + FILES[0], { method: "HEAD", credentials: "same-origin" });
  if (!probe.ok) throw new Error("the server has another bokeh, or none");
  for (const file of FILES) await script(base + file);
}

async function loadByComm(model) {
  const packed = await new Promise((resolve) => {
    let done = false;
    const listen = (content, buffers) => {
      if (content.kind !== "bokehjs") return;
      done = true;
      model.off("msg:custom", listen);
      resolve(buffers[0]);
    };
    model.on("msg:custom", listen);
    retry(() => model.send({ kind: "bokehjs" }), () => done);
  });
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const url = URL.createObjectURL(new Blob([await new Response(stream).arrayBuffer()], { type: "text/javascript" }));
  await script(url);
  URL.revokeObjectURL(url);
}

async function fetchBokeh(model, version) {
  // an older page may already hold this version, but without the tables
  if (installed(version)?.Models?.get?.("DataTable")) return installed(version);
  try {
    await loadByUrl(version);
    PAGE.loaded_by = "url";
  } catch {
    await loadByComm(model);
    PAGE.loaded_by = "comm";
  }
  return installed(version);
}

function loadBokeh(model) {
  const version = model.get("_bokeh_version");
  return (PAGE.bokeh[version] ??= fetchBokeh(model, version).catch((error) => {
    delete PAGE.bokeh[version];
    throw error;
  }));
}

// ---- colours: read from the page, so that they follow the theme both ways

function colours() {
  const style = getComputedStyle(document.body);
  const read = (name, other) => style.getPropertyValue(name).trim() || other;
  const text = read("--jp-ui-font-color1", style.color || "#444");
  return { text, faint: read("--jp-ui-font-color2", text), line: read("--jp-border-color2", "#8884"), grid: read("--jp-border-color3", "#8882") };
}

function dress(doc) {
  const c = colours();
  for (const model of doc._all_models.values()) {
    const has = (name) => name in model.properties;
    if (has("major_label_text_color") && has("axis_line_color")) {
      model.setv({ major_label_text_color: c.faint, axis_label_text_color: c.faint, axis_line_color: c.line, major_tick_line_color: c.line });
    } else if (has("grid_line_color")) model.setv({ grid_line_color: c.grid });
    else if (has("label_text_color")) model.setv({ label_text_color: c.text });
    else if (model.type === "Title") model.setv({ text_color: c.text });
  }
}

// ---- one model: snapshot, patches since, views

const slice = (view) => view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);

function applyPatch(doc, patch) {
  // each document gets its own copy of the buffers: streaming shifts columns in place
  const buffers = new Map(patch.ids.map((id, i) => [id, slice(patch.buffers[i])]));
  doc.apply_json_patch(JSON.parse(patch.content), buffers);
  // a table under rollover shows old rows until its view gets a change
  for (const model of doc._all_models.values()) if (model.type === "DataTable") model.view.change.emit();
}

class View {
  constructor(figure, model, el) {
    Object.assign(this, { figure, model, el, id: Math.random().toString(36).slice(2), turn: 0, quiet: false });
    this.note = el.appendChild(Object.assign(document.createElement("div"), { className: "aiops-note", hidden: true }));
    this.grids = el.appendChild(Object.assign(document.createElement("div"), { className: "aiops-grids" }));
    this.themes = new MutationObserver(() => requestAnimationFrame(() => this.dress()));
    this.themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
    this.timer = setInterval(() => this.checkNews(), 1000);
  }

  async draw() {
    const turn = ++this.turn;
    try {
      const bokeh = await loadBokeh(this.model);
      if (turn !== this.turn) return;
      this.clear();
      if (this.figure.base) await this.build(bokeh, turn);
      else this.say(GONE_TEXT);
    } catch (error) {
      this.say(`The charts could not be drawn: ${error.message}`);
      throw error;
    }
  }

  async build(bokeh, turn) {
    const doc = bokeh.require("document/index").Document.from_json(JSON.parse(this.figure.base.doc));
    for (const patch of this.figure.log) applyPatch(doc, patch);
    Object.assign(this, { bokeh, doc, models: doc._all_models.size });
    this.dress();
    doc.on_change((event) => this.forward(event));
    const hosts = doc.roots().map((root) => this.host(root));
    const aside = document.createElement("div"); // for Bokeh's own notifications, which belong to no root
    const manager = await bokeh.require("embed/standalone").add_document_standalone(doc, aside, hosts);
    if (turn !== this.turn) return manager.clear();
    this.manager = manager;
    this.el.dataset.drawn = String(this.turn);
  }

  host(root) {
    const group = root.css_classes[0] ?? "aiops-charts";
    const grid = this.grids.querySelector(`:scope > .${group}`) ?? this.grids.appendChild(document.createElement("div"));
    grid.className = `aiops-grid ${group}`;
    const host = grid.appendChild(document.createElement("div"));
    const show = () => (host.hidden = !root.visible);
    const dress = () => (host.className = ["aiops-cell", ...root.css_classes.slice(1)].join(" "));
    root.properties.visible.change.connect(show);
    root.properties.css_classes.change.connect(dress);
    show();
    dress();
    return host;
  }

  apply(patch) {
    if (!this.doc || patch.view === this.id) return;
    this.quiet = true;
    try {
      applyPatch(this.doc, patch);
    } finally {
      this.quiet = false;
    }
    if (this.doc._all_models.size > this.models) this.dress();
    this.models = this.doc._all_models.size;
  }

  forward(event) {
    // events that Python subscribed to, and models tagged for it: never automatic ranges or sizes
    const wanted = event.kind === "MessageSent" || (event.kind === "ModelChanged" && event.model.tags.includes("sync"));
    if (this.quiet || !wanted) return;
    const patch = JSON.parse(JSON.stringify(this.doc.create_json_patch([event])));
    this.model.send({ kind: "event", view: this.id, patch });
  }

  dress() {
    if (!this.doc) return;
    this.quiet = true;
    dress(this.doc);
    this.quiet = false;
  }

  say(text) {
    this.note.hidden = !text;
    if (this.note.textContent !== text) this.note.textContent = text;
  }

  checkNews() {
    const seconds = Math.round((performance.now() - this.figure.news) / 1000);
    const lost = this.el.closest(".jupyter-widgets-disconnected");
    const gone = Boolean(lost);
    const silent = this.doc && this.model.get("_live") && seconds * 1000 > SILENT_AFTER_MS;
    this.el.classList.toggle("aiops-silent", Boolean(silent) || gone);
    if (!this.doc) return;
    if (gone) this.say(lost.dataset.gone ? `Disconnected: ${lost.dataset.gone}.` : GONE_TEXT);
    else this.say(silent ? `No data from the kernel for ${seconds} s: it is busy or was restarted. If it was restarted, run the cells again.` : "");
  }

  clear() {
    this.manager?.clear();
    if (this.doc) {
      this.doc.clear();
      const at = this.bokeh.documents.indexOf(this.doc);
      if (at >= 0) this.bokeh.documents.splice(at, 1);
    }
    this.doc = this.manager = undefined;
    this.grids.replaceChildren();
  }

  close() {
    this.turn += 1;
    clearInterval(this.timer);
    this.themes.disconnect();
    this.clear();
  }
}

// ---- moving the time axis: shift and wheel, or a wheel that turns sideways, pans; ctrl and wheel zooms; a double
// click returns to the newest rows. The plain wheel scrolls the notebook.

const LEFT = 58; // of a chart, before its time axis
const RIGHT = 14;
const SEND_EVERY_MS = 120;

function navigation(model, el) {
  let waiting = null;
  const send = (kind, key, value, more = {}) => {
    if (waiting?.kind === kind) waiting[key] = kind === "pan" ? waiting[key] + value : waiting[key] * value;
    else {
      waiting = { kind, [key]: value, ...more };
      setTimeout(() => (model.send(waiting), (waiting = null)), SEND_EVERY_MS);
    }
  };
  const turned = (event) => {
    const box = event.target.closest?.(".aiops-cell")?.getBoundingClientRect();
    if (!box) return;
    const width = Math.max(box.width - LEFT - RIGHT, 1);
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (event.ctrlKey || event.metaKey) {
      const at = Math.min(Math.max((event.clientX - box.left - LEFT) / width, 0), 1);
      send("zoom", "factor", Math.exp(Math.max(-100, Math.min(100, event.deltaY)) / 200), { at });
    } else if (sideways) send("pan", "share", (event.deltaX || event.deltaY) / width);
    else return;
    event.preventDefault();
  };
  const latest = (event) => event.target.closest?.(".aiops-cell") && model.send({ kind: "latest" });
  el.addEventListener("wheel", turned, { passive: false });
  el.addEventListener("dblclick", latest);
  return () => {
    el.removeEventListener("wheel", turned);
    el.removeEventListener("dblclick", latest);
  };
}

class Figure {
  constructor() {
    Object.assign(this, { base: null, log: [], seq: -1, lost: false, news: performance.now(), views: new Set() });
  }

  takeSnapshot(snapshot) {
    if (!snapshot || snapshot.seq < this.seq) return;
    const behind = snapshot.seq > this.seq;
    Object.assign(this, { base: snapshot, log: [], seq: snapshot.seq });
    if (!behind) return;
    this.lost = false;
    for (const view of this.views) view.draw();
  }

  takePatch(content, buffers, ask) {
    if (this.lost || content.seq <= this.seq) return;
    if (content.seq !== this.seq + 1) {
      this.lost = true;
      PAGE.resyncs += 1;
      retry(ask, () => !this.lost);
      return;
    }
    const patch = { ...content, buffers };
    this.seq = content.seq;
    this.log.push(patch);
    for (const view of this.views) view.apply(patch);
  }

  listen(model) {
    const read = () => {
      this.takeSnapshot(model.get("_snapshot"));
      model.set("_snapshot", null); // or "save widget state" would write it into the notebook
    };
    const onMessage = (content, buffers) => {
      this.news = performance.now();
      if (content.kind === "snapshot") this.takeSnapshot(content);
      else if (content.kind === "patch") this.takePatch(content, buffers, () => model.send({ kind: "hello" }));
    };
    read();
    model.on("msg:custom", onMessage);
  }

  close() {
    this.lost = false;
    for (const view of this.views) view.close();
    this.views.clear();
  }
}

export default () => {
  const figure = new Figure();
  return {
    initialize({ model }) {
      figure.listen(model);
      return () => figure.close();
    },
    render({ model, el }) {
      el.classList.add("aiops-figure");
      const view = new View(figure, model, el);
      figure.views.add(view);
      view.draw();
      const still = navigation(model, el);
      return () => {
        still();
        figure.views.delete(view);
        view.close();
      };
    },
  };
};
