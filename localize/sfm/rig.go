package sfm

import (
	"context"

	"locbench/localize"
	"locbench/localize/robust"
)

// queryMethod is how a method works on a query, and on the cameras of a rig.
type queryMethod struct {
	correspondences func(*shared) []correspondence
	alone           func(*shared) localize.Result // of a query by itself
	options         robust.Options
	seen            func(s *shared, neighbor int) int // keypoints that see a point by that neighbour; nil: not known
}

// forRig localizes the cameras of a rig together for each number of neighbours:
// results by k, then by member.
func (d *Data) forRig(ctx context.Context, members []localize.RigMember, ks []int, m queryMethod) ([][]localize.Result, error) {
	all := make([]*shared, len(members))
	for i, member := range members {
		var err error
		if all[i], err = d.ordered(ctx, member.Query, m); err != nil {
			return nil, err
		}
	}
	out := make([][]localize.Result, len(ks))
	for i, k := range ks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		use := make([]*shared, len(all))
		for j, s := range all {
			use[j] = s.first(k)
		}
		out[i] = m.localize(members, use)
	}
	return out, nil
}

// localize estimates one pose from the correspondences of all members whose
// cameras are known: that of the rig, and by it theirs.
func (m *queryMethod) localize(members []localize.RigMember, all []*shared) []localize.Result {
	out := make([]localize.Result, len(members))
	var p robust.RigProblem
	var views []*resection
	var which []int // of the members
	for i, s := range all {
		if s.query.Camera == nil {
			out[i] = m.alone(s)
			continue
		}
		r := &resection{query: s.query, mount: members[i].Mount, from: m.correspondences(s)}
		view := robust.RigView{Camera: *s.query.Camera, Pose: r.mount}
		for _, c := range r.from {
			view.Pixels = append(view.Pixels, s.query.Keypoints[c.keypoint])
			view.Points = append(view.Points, c.point)
		}
		p.Views = append(p.Views, view)
		views, which = append(views, r), append(which, i)
	}
	if len(views) == 0 {
		return out
	}
	o := m.options
	o.Seed ^= nameHash(members[which[0]].Name)
	rig, reason := robust.EstimateRig(p, o)
	if reason == "" {
		rig.Pose = refine(rig.Pose, views, o.MaxErrorPx)
	}
	for j, i := range which {
		a := robust.Absolute{Pose: rig.Pose.Then(views[j].mount)}
		if reason == "" {
			a.NumInliers, a.RMSEPx = views[j].inliers(rig.Pose, o.MaxErrorPx)
		}
		out[i] = all[i].result(views[j], a, reason)
	}
	return out
}
