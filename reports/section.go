package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"locbench/bench/record"
)

// section holds the runs that may stand in one table: the same scene, held
// against the same thresholds. Its lists give every name an index and an order.
type section struct {
	scene record.Scene
	runs  []labelled

	splits, features, methods, metrics names
	groups                             map[string]record.Split // splits by name
	topks                              []int

	summary   frame // method and k as in summary.csv
	retrieval frame // method is unused

	gathered *queryData // see queryData; nil: not yet
}

// labelled is a run with the name it has in tables and legends.
type labelled struct {
	Label string
	*record.Run
}

// names is an ordered list that knows where each name is.
type names struct {
	list  []string
	index map[string]int
}

// id returns the index of name, which is added if it is new.
func (n *names) id(name string) int {
	if i, ok := n.index[name]; ok {
		return i
	}
	if n.index == nil {
		n.index = map[string]int{}
	}
	n.index[name] = len(n.list)
	n.list = append(n.list, name)
	return len(n.list) - 1
}

// sections sorts runs into sections, in the order of the runs.
func sections(runs []labelled) []*section {
	var list []*section
	for _, run := range runs {
		i := slices.IndexFunc(list, func(s *section) bool { return s.accepts(run.Manifest.Scene) })
		if i < 0 {
			i = len(list)
			list = append(list, &section{scene: run.Manifest.Scene})
		}
		list[i].runs = append(list[i].runs, run)
	}
	for _, s := range list {
		s.load()
	}
	return list
}

// accepts reports whether figures of scene may stand beside those of s.
func (s *section) accepts(scene record.Scene) bool {
	return s.scene.Name == scene.Name && slices.Equal(s.scene.Thresholds, scene.Thresholds) &&
		slices.Equal(s.scene.RecallThresholds, scene.RecallThresholds)
}

// load fills the lists, in the manifests' order, and the frames.
func (s *section) load() {
	topks := map[int]bool{}
	s.groups = map[string]record.Split{}
	for _, run := range s.runs {
		for _, split := range run.Manifest.Scene.Splits {
			s.splits.id(split.Name)
			s.groups[split.Name] = split
		}
		for _, f := range run.Manifest.Features {
			s.features.id(f.Name)
		}
		for _, m := range run.Manifest.Methods {
			s.methods.id(m.Name)
		}
		for _, row := range run.Summary {
			topks[row.TopK] = true
		}
		for _, row := range run.Retrieval {
			topks[row.TopK] = true
		}
	}
	s.topks = slices.Sorted(maps.Keys(topks))
	s.loadFrames()
}

func (s *section) loadFrames() {
	k := func(topk int) int { i, _ := slices.BinarySearch(s.topks, topk); return i }
	var summary, retrieval []figure
	for i, run := range s.runs {
		for _, r := range run.Summary {
			summary = append(summary, figure{i, s.splits.id(r.Split), s.features.id(r.Feature), s.methods.id(r.Method), k(r.TopK), s.metrics.id(r.Metric), r.Value})
		}
		for _, r := range run.Retrieval {
			retrieval = append(retrieval, figure{i, s.splits.id(r.Split), s.features.id(r.Feature), 0, k(r.TopK), s.metrics.id(r.Metric), r.Value})
		}
	}
	s.summary, s.retrieval = newFrame(summary), newFrame(retrieval)
}

// oracle reports whether a run's feature is retrieval that knows the truth: an
// upper bound, not a candidate.
func (s *section) oracle(run, feature int) bool {
	return slices.ContainsFunc(s.runs[run].Manifest.Features, func(f record.Feature) bool {
		return f.Name == s.features.list[feature] && f.Kind == record.OracleKind
	})
}

// heading names the section: scene, and split where there is more than one.
func (s *section) heading(split string) string {
	title := cmp.Or(s.scene.Title, s.scene.Name)
	if len(s.splits.list) < 2 {
		return title
	}
	if split == record.AllSplit {
		return title + ", all queries"
	}
	return title + ", " + split
}

// entity names the line that a run's feature has in plots.
func (s *section) entity(run, feature int) string {
	if len(s.runs) < 2 {
		return s.features.list[feature]
	}
	return s.features.list[feature] + " · " + s.runs[run].Label
}

// warnings says what makes figures of the section's runs differ besides what
// the tables compare.
func (s *section) warnings() []string {
	var out []string
	first := s.runs[0]
	for _, run := range s.runs[1:] {
		for _, w := range differences(first.Manifest, run.Manifest) {
			out = append(out, fmt.Sprintf("%s: runs %s and %s are compared, but %s", s.scene.Name, first.Label, run.Label, w))
		}
	}
	return out
}

// differences lists what two runs of one scene do not have in common.
func differences(a, b *record.Manifest) []string {
	var out []string
	queries := map[string]int{}
	for _, split := range a.Scene.Splits {
		queries[split.Name] = split.Queries
	}
	for _, split := range b.Scene.Splits {
		if n, ok := queries[split.Name]; ok && n != split.Queries {
			out = append(out, fmt.Sprintf("split %s has %d queries in one and %d in the other", split.Name, n, split.Queries))
		}
	}
	if a.Counts.Mapping != b.Counts.Mapping {
		out = append(out, fmt.Sprintf("one has %d mapping images and the other %d", a.Counts.Mapping, b.Counts.Mapping))
	}
	for _, m := range b.Methods {
		i := slices.IndexFunc(a.Methods, func(o record.Method) bool { return o.Name == m.Name })
		if i >= 0 && !maps.Equal(a.Methods[i].Parameters, m.Parameters) {
			out = append(out, fmt.Sprintf("method %s has other parameters (%s, %s)", m.Name, parameterText(a.Methods[i]), parameterText(m)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.Inputs)) {
		if hash, ok := b.Inputs[name]; ok && hash != a.Inputs[name] {
			out = append(out, fmt.Sprintf("input %s differs", name))
		}
	}
	return out
}

// parameterText lists a method's parameters, "alpha=8".
func parameterText(m record.Method) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m.Parameters)) {
		parts = append(parts, name+"="+m.Parameters[name])
	}
	return cmp.Or(strings.Join(parts, ", "), "none")
}
