package reports_test

import (
	"path/filepath"
	"strings"
	"testing"

	"locbench/bench/record"
)

// lowContrast lists texts whose colour and background have a contrast below
// that of WCAG 2.1, 1.4.3: 4.5, for large text 3.
const lowContrast = `(() => {
	const rgba = text => { const v = text.match(/[\d.]+/g).map(Number); return v.length < 4 ? [...v, 1] : v; };
	const linear = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
	const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
	const behind = e => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255, 1]; };
	const out = new Set();
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	let seen = 0;
	while (walker.nextNode()) {
		const node = walker.currentNode, e = node.parentElement;
		if (!node.textContent.trim() || ["SCRIPT", "STYLE", "NOSCRIPT", "title"].includes(e.tagName) || !e.checkVisibility()) continue;
		const style = getComputedStyle(e), svg = e.closest("svg"), size = parseFloat(style.fontSize);
		const color = rgba(svg ? style.fill : style.color), back = behind(e);
		const [a, b] = [luminance(color), luminance(back)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
		const large = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700;
		seen++;
		if (ratio < (large ? 3 : 4.5)) out.add(e.tagName + "." + (e.getAttribute("class") || "") + " " + style.color + " on " + back + ": " + ratio.toFixed(2));
	}
	return seen < 100 ? ["only " + seen + " texts were looked at"] : [...out];
})()`

// faults lists what a screen reader would stumble over.
const faults = `(() => {
	const out = [], all = s => [...document.querySelectorAll(s)].filter(e => e.checkVisibility()), say = (e, text) => out.push(text + ": " + e.outerHTML.slice(0, 120));
	for (const e of all("img")) if (!e.alt) say(e, "a picture without text");
	for (const e of all("svg")) if (!e.closest("[aria-hidden=true]") && !(e.getAttribute("role") === "img" && e.getAttribute("aria-label"))) say(e, "a drawing without text");
	for (const e of all("input, select")) if (!e.labels.length || !e.labels[0].textContent.trim()) say(e, "a control without label");
	for (const e of all("button, a[href], summary")) if (!(e.textContent.trim() || e.getAttribute("aria-label"))) say(e, "a control without name");
	for (const e of all("nav, form, [role=region], [tabindex='0']")) if (!e.getAttribute("aria-label") && !(e.getAttribute("aria-labelledby") && document.getElementById(e.getAttribute("aria-labelledby")))) say(e, "a region without name");
	for (const t of all("table")) {
		if (!t.tHead || [...t.tHead.rows[0].cells].some(c => c.tagName !== "TH" || c.scope !== "col")) say(t, "a table without heads");
		for (const r of t.tBodies[0].rows) if (![...r.cells].some(c => c.tagName === "TH" && c.scope === "row")) say(r, "a row without head");
	}
	let level = 0;
	for (const h of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
		if (h.closest("[hidden]")) continue;
		const l = Number(h.tagName[1]);
		if (l > level + 1) say(h, "a heading that skips a level");
		level = l;
	}
	if (document.querySelectorAll("h1").length !== 1 || document.querySelectorAll("main").length !== 1) out.push("not one h1 and one main");
	const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
	if (new Set(ids).size !== ids.length) out.push("two elements of one id");
	return out;
})()`

// controls counts what the keyboard must reach.
const controls = `(window.reached = new Set(), window.focusable = [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")].filter(e => e.checkVisibility() && !e.disabled), window.focusable.length)`

// focused notes the control in focus: "" is none, else what is wrong with its
// looks, or "fine".
const focused = `(() => {
	const e = document.activeElement;
	if (!e || e === document.body) return "";
	reached.add(e);
	const s = getComputedStyle(e), r = e.getBoundingClientRect();
	if (s.outlineStyle === "none" || parseFloat(s.outlineWidth) < 2) return "no outline: " + e.outerHTML.slice(0, 100);
	const top = Math.max(r.top, 0), bottom = Math.min(r.bottom, innerHeight), there = document.elementFromPoint(r.left + r.width / 2, (top + bottom) / 2);
	return there && (e.contains(there) || there.contains(e)) ? "fine" : "out of sight: " + e.outerHTML.slice(0, 100);
})()`

// TestAccessible looks at a page with open views as those do who do not see it
// well, or use no mouse.
func TestAccessible(t *testing.T) {
	b := newBrowser(t)
	run := tiny.build(t)
	tiny.writeViews(t, run)
	dir := t.TempDir()
	writeReport(t, dir, run)
	path := filepath.Join(dir, "index.html")
	for name, dark := range map[string]bool{"light": false, "dark": true} {
		b.open(t, path, 1280, dark)
		var details int
		b.eval(t, openQueries, &details)
		for what, script := range map[string]string{"contrast": lowContrast, "structure": faults} {
			var found []string
			b.eval(t, script, &found)
			for _, s := range found {
				t.Errorf("%s, %s: %s", name, what, s)
			}
		}
	}
	b.open(t, path, 1280, false)
	b.tabThrough(t)
}

func writeReport(t testing.TB, dir string, runs ...*record.Run) {
	t.Helper()
	writeDir(t, dir, viewOptions, runs...)
}

// tabThrough presses Tab until every control had the focus.
func (b *browser) tabThrough(t *testing.T) {
	t.Helper()
	var n int
	b.eval(t, `document.documentElement.style.scrollBehavior = "auto"; document.querySelector(".list details").open = true; new Promise(done => setTimeout(() => done(1), 300))`, &n)
	b.eval(t, controls, &n)
	if n < 20 {
		t.Fatalf("%d controls on the page, want more to test", n)
	}
	b.pressTab(t, n, 0)
	var left []string
	b.eval(t, `focusable.filter(e => !reached.has(e)).map(e => e.outerHTML.slice(0, 100))`, &left)
	for _, s := range left {
		t.Errorf("Tab does not reach %s", strings.ReplaceAll(s, "\n", " "))
	}
	const shift = 8
	b.pressTab(t, n, shift) // backwards, where the filters at the top may hide what is in focus
}

// pressTab presses Tab until nothing is in focus, and looks at what is.
func (b *browser) pressTab(t *testing.T, most, modifiers int) {
	t.Helper()
	for range 2 * most {
		for _, kind := range []string{"keyDown", "keyUp"} {
			b.call(t, "Input.dispatchKeyEvent", map[string]any{"type": kind, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9, "modifiers": modifiers}, nil)
		}
		var looks string
		b.eval(t, focused, &looks)
		if looks == "" {
			break
		}
		if looks != "fine" {
			t.Error(looks)
		}
	}
}
