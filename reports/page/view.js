// The view of one query: its picture beside the retrieved ones, matches, and the
// map. What it shows lies in scripts beside the page, a script for some queries,
// loaded when the first of them is opened.
const viewScripts = {
  content: new Map(), // by name
  loading: new Map(),

  load(file, name) {
    if (!this.loading.has(name)) {
      this.loading.set(name, new Promise((done, fail) => {
        const script = make("script");
        script.src = file;
        script.addEventListener("load", () => done(this.content.get(name)));
        script.addEventListener("error", () => fail(new Error(file + " is not beside this page: maps and pictures need the report's whole folder.")));
        document.head.append(script);
      }));
    }
    return this.loading.get(name);
  },
};
window.locbenchView = (name, content) => viewScripts.content.set(name, content);

class QueryView {
  // line is the chosen one; hits the images retrieved under its run and feature.
  constructor(data, q, line, hits) {
    Object.assign(this, {data, q, line, hits});
    this.box = make("div", undefined, "view");
    this.fill();
  }

  async fill() {
    const views = this.data.views;
    if (!views) return this.box.append(make("p", "This page was written without maps and pictures.", "note"));
    if (views.note) return this.box.append(make("p", views.note, "note"));
    const number = Math.floor(this.q / views.chunk), file = views.scripts + number + ".js";
    try {
      this.script = await viewScripts.load(file, file.replace(/^.*\/|\.js$/g, ""));
    } catch (e) {
      return this.box.append(make("p", e.message, "note"));
    }
    this.query = this.script.queries[this.q % views.chunk];
    this.box.append(this.pictures(), ...this.matches(), ...this.map());
  }

  image(i) { return this.script.images[i] || {}; }

  picture(image, alt) {
    if (!image.f) {
      const p = make("p", this.data.views.why[image.w || 0], "missing");
      return p;
    }
    const img = make("img");
    img.src = image.f;
    img.alt = alt;
    if (image.x && image.y) {
      const scale = 160 / Math.max(image.x, image.y);
      [img.width, img.height] = [Math.round(image.x * scale), Math.round(image.y * scale)];
    }
    return img;
  }

  figure(image, alt, caption) {
    const f = make("figure"), text = make("figcaption");
    text.append(...caption);
    f.append(this.picture(image, alt), text);
    return f;
  }

  pictures() {
    const row = make("div", undefined, "pictures"), name = this.data.queries[this.q].n;
    row.append(this.figure(this.query, "Query " + name, [make("strong", "query")]));
    this.hits.slice(0, 5).forEach((hit, rank) => {
      const image = this.data.images[hit.image], caption = [make("strong", String(rank + 1)), " " + image, ...this.apart(this.image(hit.image).c)];
      if (this.line && rank >= this.line.k) caption.push(make("br"), "not used at k = " + this.line.k);
      row.append(this.figure(this.image(hit.image), "Retrieved image " + (rank + 1) + ": " + image, caption));
    });
    return row;
  }

  // apart says how far on the ground an image is from the query's true place.
  apart(spot) {
    const truth = this.query.c;
    if (!spot || !truth) return [];
    const turn = Math.abs((spot[2] - truth[2] + 540) % 360 - 180);
    return [make("br"), drawing.distance(Math.hypot(spot[0] - truth[0], spot[1] - truth[1])) + " away, turned by " + turn + "°"];
  }

  matches() {
    const ranks = new Map(this.hits.map((hit, rank) => [hit.image, rank + 1]));
    const shown = (this.query.m || []).filter(m => ranks.has(m.i)).sort((a, b) => b.n - a.n).slice(0, 2);
    return shown.map(m => {
      const image = this.data.images[m.i], f = make("figure", undefined, "matches");
      const what = m.n + " verified matches with image " + ranks.get(m.i) + ", " + image + (m.l.length < m.n ? "; " + m.l.length + " of them drawn" : "");
      f.append(this.lines(m, "The query beside a retrieved image, lines between them: " + what + "."), make("figcaption", what));
      return f;
    });
  }

  // lines draws matches between the query on the left and an image on the right.
  lines(m, label) {
    const sides = [this.query, this.image(m.i)], height = 180, gap = 8;
    const points = [m.l.map(l => [l[0], l[1]]), m.l.map(l => [l[2], l[3]])];
    let x = 0;
    const frames = sides.map((side, s) => {
      // Without a known size, as far as the keypoints reach.
      const w = side.x || Math.max(...points[s].map(p => p[0])), h = side.y || Math.max(...points[s].map(p => p[1]));
      const frame = {x, scale: height / h, width: w * height / h};
      x += frame.width + gap;
      return frame;
    });
    const svg = drawing.node("svg", {viewBox: "0 0 " + (x - gap) + " " + height, role: "img", "aria-label": label});
    frames.forEach((frame, s) => {
      const at = {x: frame.x, y: 0, width: frame.width, height};
      svg.append(drawing.node("rect", {...at, fill: "var(--panel)", stroke: "var(--rule)"}));
      if (sides[s].f) svg.append(drawing.node("image", {...at, href: sides[s].f, preserveAspectRatio: "none"}));
    });
    m.l.forEach((l, i) => {
      const [a, b] = frames, color = "var(--line-" + (1 + i % 6) + ")";
      const [x1, y1, x2, y2] = [a.x + l[0] * a.scale, l[1] * a.scale, b.x + l[2] * b.scale, l[3] * b.scale];
      svg.append(drawing.node("line", {x1, y1, x2, y2, stroke: color, "stroke-width": 1}), drawing.node("circle", {cx: x1, cy: y1, r: 2, fill: color}), drawing.node("circle", {cx: x2, cy: y2, r: 2, fill: color}));
    });
    return svg;
  }

  map() {
    const {data, line, query} = this, marks = [];
    if (query.c) marks.push({kind: "truth", name: "ground truth", label: "ground truth", place: query.c});
    this.hits.slice(0, 5).forEach((hit, rank) => {
      const place = this.image(hit.image).c;
      if (place) marks.push({kind: "retrieved", short: String(rank + 1), label: "retrieved image " + (rank + 1) + ": " + data.images[hit.image], place});
    });
    data.lines.forEach((l, i) => {
      const place = query.e && query.e[i];
      if (!place || !line || l.r !== line.r || l.f !== line.f || l.k !== line.k) return;
      const t = unpack(l.t, this.q), d = unpack(l.d, this.q);
      const error = t === null || d === null ? "" : ", " + drawing.distance(t) + " and " + d.toFixed(2) + "° off";
      marks.push({kind: "estimate", name: data.methods[l.m], color: "var(--line-" + (1 + l.m % 7) + ")", label: data.methods[l.m] + error, place});
    });
    if (!marks.length) return [make("p", "No place is known of this query and its retrieved images: there is no map.", "note")];
    const f = make("figure", undefined, "ground"), text = make("figcaption");
    text.append(make("strong", "From above"), "k = " + (line ? line.k : "") + ". Lines at the marks: where the cameras look. Broken lines: position errors. Arrows at the edge: beyond it.");
    f.append(text, new GroundMap(data.views.mapping, marks).box, this.legend(marks));
    return [f];
  }

  legend(marks) {
    const ul = make("ul", undefined, "legend");
    const entry = (draw, text) => {
      const li = make("li");
      li.append(drawing.node("svg", {viewBox: "0 0 24 14", "aria-hidden": "true", class: "key"}, ...draw), text);
      ul.append(li);
    };
    const tick = (color, width) => drawing.node("line", {x1: 8, y1: 7, x2: 22, y2: 7, stroke: color, "stroke-width": width});
    for (const m of marks) {
      const color = m.color || "var(--ink)";
      if (m.kind !== "retrieved") entry([tick(color, 2), drawing.node("circle", {cx: 8, cy: 7, r: 5, fill: m.kind === "truth" ? color : "var(--bg)", stroke: color, "stroke-width": 2})], m.label);
    }
    if (marks.some(m => m.kind === "retrieved")) entry([tick("var(--ink)", 1.2), drawing.node("rect", {x: 1, y: 1, width: 12, height: 12, rx: 2, fill: "var(--bg)", stroke: "var(--ink)"})], "retrieved images, by rank");
    if (this.data.views.mapping.length) entry([drawing.node("line", {x1: 8, y1: 7, x2: 16, y2: 7, stroke: "var(--soft)"}), drawing.node("circle", {cx: 8, cy: 7, r: 1.6, fill: "var(--soft)"})], "mapping images");
    return ul;
  }
}
