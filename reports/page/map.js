// The map of a query: its true place, where the methods put it, the images
// retrieved for it and the mapping cameras, from above. Places are [x, y,
// heading], in metres and degrees.
const drawing = {
  node(tag, attributes, ...children) {
    const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
    e.append(...children);
    return e;
  },

  // niceLength is the largest of 1, 2, 5 times a power of ten within most.
  niceLength(most) {
    const power = 10 ** Math.floor(Math.log10(most));
    return [5, 2, 1].map(f => f * power).find(v => v <= most) || power;
  },

  distance(metres) {
    return metres >= 100 ? metres.toFixed(0) + " m" : metres >= 1 ? metres.toFixed(1) + " m" : (100 * metres).toFixed(metres < 0.1 ? 1 : 0) + " cm";
  },
};

class GroundMap {
  // marks: {place, label, kind: "truth" | "estimate" | "retrieved", color}.
  constructor(mapping, marks) {
    this.mapping = mapping;
    this.marks = marks;
    this.width = 480;
    this.height = 360;
    this.truth = marks.find(m => m.kind === "truth");
    this.center = (this.truth || marks.find(m => m.kind === "estimate") || marks[0]).place;
    // As far as the marks are, but those that are far off the others do not
    // make the rest small: they are pointed to from the edge.
    const far = marks.map(m => this.from(m.place)).filter(d => d > 0).sort((a, b) => a - b);
    this.radius = far.length ? Math.max(0.05, 1.2 * Math.min(far[far.length - 1], 3 * far[far.length >> 1])) : 10;
    this.box = make("div", undefined, "mapbox");
    this.draw();
  }

  from(place) { return Math.hypot(place[0] - this.center[0], place[1] - this.center[1]); }

  position(place) {
    const scale = this.height / 2 / this.radius;
    return [this.width / 2 + (place[0] - this.center[0]) * scale, this.height / 2 - (place[1] - this.center[1]) * scale];
  }

  inside(x, y) { return x >= 0 && x <= this.width && y >= 0 && y <= this.height; }

  // tick is the line that says where a camera looks to.
  tick(x, y, heading, length, attributes) {
    const a = heading * Math.PI / 180;
    return drawing.node("line", {x1: x, y1: y, x2: x + length * Math.cos(a), y2: y - length * Math.sin(a), ...attributes});
  }

  draw() {
    const svg = drawing.node("svg", {viewBox: "0 0 " + this.width + " " + this.height, role: "img", "aria-label": this.summary(), class: "map"});
    for (const place of this.mapping) {
      const [x, y] = this.position(place);
      if (this.inside(x, y)) svg.append(this.tick(x, y, place[2], 8, {stroke: "var(--soft)", "stroke-width": 1}), drawing.node("circle", {cx: x, cy: y, r: 1.6, fill: "var(--soft)"}));
    }
    for (const kind of ["error", "retrieved", "truth", "estimate"]) {
      for (const m of this.marks) {
        if (kind === "error" && m.kind === "estimate" && this.truth) svg.append(this.errorLine(m));
        if (m.kind === kind) svg.append(...this.mark(m));
      }
    }
    svg.append(...this.scaleBar());
    const zoom = (text, label, factor) => {
      const b = make("button", text);
      b.type = "button";
      b.setAttribute("aria-label", label);
      b.addEventListener("click", () => {
        this.radius *= factor;
        this.draw();
        this.box.querySelector("[aria-label='" + label + "']").focus();
      });
      return b;
    };
    const buttons = make("div", undefined, "zoom");
    buttons.append(zoom("+", "Zoom in", 0.5), zoom("−", "Zoom out", 2));
    this.box.replaceChildren(svg, buttons);
  }

  summary() {
    const parts = this.marks.filter(m => m.kind !== "retrieved").map(m => m.label);
    return "Map from above: " + (parts.join("; ") || "retrieved images") + ".";
  }

  errorLine(m) {
    const [x1, y1] = this.position(this.truth.place), [x2, y2] = this.position(m.place);
    return drawing.node("line", {x1, y1, x2, y2, stroke: m.color, "stroke-width": 1.5, "stroke-dasharray": "4 3"});
  }

  mark(m) {
    const [x, y] = this.position(m.place);
    if (!this.inside(x, y)) return this.pointer(m, x, y);
    const title = drawing.node("title", {}, m.label);
    if (m.kind === "retrieved") {
      return [drawing.node("g", {class: "mark-" + m.kind}, title, this.tick(x, y, m.place[2], 15, {stroke: "var(--ink)", "stroke-width": 1.2}),
        drawing.node("rect", {x: x - 7, y: y - 7, width: 14, height: 14, rx: 2, fill: "var(--bg)", stroke: "var(--ink)"}),
        drawing.node("text", {x, y: y + 3.5, "text-anchor": "middle", "font-size": 10, fill: "var(--ink)"}, m.short))];
    }
    const color = m.color || "var(--ink)", width = m.kind === "truth" ? 2.5 : 2;
    return [drawing.node("g", {class: "mark-" + m.kind}, title, this.tick(x, y, m.place[2], 18, {stroke: color, "stroke-width": width}),
      drawing.node("circle", {cx: x, cy: y, r: m.kind === "truth" ? 7 : 4, fill: m.kind === "truth" ? color : "var(--bg)", stroke: color, "stroke-width": 2}))];
  }

  // pointer stands at the edge for what is beyond it.
  pointer(m, x, y) {
    const cx = this.width / 2, cy = this.height / 2, dx = x - cx, dy = y - cy;
    const t = Math.min((cx - 8) / Math.abs(dx), (cy - 8) / Math.abs(dy)), px = cx + dx * t, py = cy + dy * t;
    const color = m.color || "var(--ink)", angle = Math.atan2(dy, dx) * 180 / Math.PI;
    const anchor = px > this.width - 110 ? "end" : px < 110 ? "start" : "middle";
    const text = m.kind === "retrieved" ? m.short : m.name + " " + drawing.distance(this.from(m.place));
    return [drawing.node("g", {class: "mark-" + m.kind + " beyond"}, drawing.node("title", {}, m.label),
      drawing.node("path", {d: "M 6 0 L -5 -5 L -5 5 z", fill: color, transform: "translate(" + px + " " + py + ") rotate(" + angle + ")"}),
      drawing.node("text", {x: px + (anchor === "end" ? -10 : anchor === "start" ? 10 : 0), y: py + (py < 20 ? 20 : py > this.height - 20 ? -10 : 4), "text-anchor": anchor, "font-size": 11, fill: "var(--ink)", class: "halo"}, text))];
  }

  scaleBar() {
    const perMetre = this.height / 2 / this.radius, length = drawing.niceLength(110 / perMetre), y = this.height - 12;
    return [drawing.node("path", {d: "M 12 " + (y - 5) + " v 5 h " + length * perMetre + " v -5", fill: "none", stroke: "var(--ink)", "stroke-width": 1.5}),
      drawing.node("text", {x: 12, y: y - 9, "font-size": 11, fill: "var(--ink)", class: "halo"}, drawing.distance(length))];
  }
}
