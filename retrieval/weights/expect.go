package weights

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Spec is a tensor that a network needs.
type Spec struct {
	Name     string
	Shape    []int
	Optional bool // a file may lack it: counters of training, GeM's exponent
}

// String returns the name and shape, as "fc.bias [2048]".
func (s Spec) String() string { return fmt.Sprintf("%s %v", s.Name, s.Shape) }

// resnet is the trunk of a ResNet (He et al., CVPR 2016): the number of blocks
// in each of its four stages, and the features of its stem.
type resnet struct {
	blocks     [4]int
	bottleneck bool
	width      int
}

const resnetNames = "resnet10, resnet18, resnet34, resnet50, resnet101 or resnet152, with or without _w and a width, and _rmac"

// standardWidth is the width of the published networks, which their names leave
// out.
const standardWidth = 64

// resnets are the trunks of standard width.
func resnets() map[string]resnet {
	return map[string]resnet{
		"resnet10":  {[4]int{1, 1, 1, 1}, false, standardWidth},
		"resnet18":  {[4]int{2, 2, 2, 2}, false, standardWidth},
		"resnet34":  {[4]int{3, 4, 6, 3}, false, standardWidth},
		"resnet50":  {[4]int{3, 4, 6, 3}, true, standardWidth},
		"resnet101": {[4]int{3, 4, 23, 3}, true, standardWidth},
		"resnet152": {[4]int{3, 8, 36, 3}, true, standardWidth},
	}
}

func findResnet(arch string) (resnet, error) {
	base, digits, narrow := strings.Cut(strings.TrimSuffix(arch, "_rmac"), "_w")
	r, ok := resnets()[base]
	if narrow {
		width, err := strconv.Atoi(digits)
		r.width, ok = width, ok && err == nil && 1 <= width && width <= 256
	}
	switch {
	case ok:
		return r, nil
	case arch == "":
		return r, fmt.Errorf("want the tensors of %s, found those of no such network", resnetNames)
	case strings.Contains(arch, "fpn"):
		return r, fmt.Errorf("want %s, found %s: feature pyramids (FPN) are not supported", resnetNames, clip(arch))
	}
	return r, fmt.Errorf("want %s, found %s: not supported", resnetNames, clip(arch))
}

// channels is the number of features at the trunk's end.
func (r resnet) channels() int { return 8 * r.width * r.expansion() }

func (r resnet) expansion() int {
	if r.bottleneck {
		return 4
	}
	return 1
}

// Expect lists the tensors of the network that a checkpoint is said to hold, in
// the order of PyTorch's state dict: torchvision's names, adpool.p of GeM, and
// fc. It depends on Arch, Pooling, WithoutFC and OutDim only. An architecture
// that is not supported gives a *[FormatError] that names it.
func (c *Checkpoint) Expect() ([]Spec, error) {
	r, err := findResnet(c.Arch)
	if err != nil {
		return nil, bad(c.Path, "%v", err)
	}
	list := specs{}
	list.conv("conv1", r.width, 3, 7)
	list.norm("bn1", r.width)
	from := r.width
	for i, n := range r.blocks {
		for j := range n {
			from = list.block(fmt.Sprintf("layer%d.%d.", i+1, j), from, r.width<<i, r)
		}
	}
	if strings.HasPrefix(c.Pooling, "gem") {
		list = append(list, Spec{Name: "adpool.p", Shape: []int{1}, Optional: true})
	}
	if !c.WithoutFC {
		list = append(list, Spec{Name: "fc.weight", Shape: []int{c.OutDim, r.channels()}}, Spec{Name: "fc.bias", Shape: []int{c.OutDim}})
	}
	return list, nil
}

type specs []Spec

func (l *specs) conv(name string, to, from, size int) {
	*l = append(*l, Spec{Name: name + ".weight", Shape: []int{to, from, size, size}})
}

func (l *specs) norm(name string, n int) {
	for _, part := range []string{"weight", "bias", "running_mean", "running_var"} {
		*l = append(*l, Spec{Name: name + "." + part, Shape: []int{n}})
	}
	*l = append(*l, Spec{Name: name + ".num_batches_tracked", Shape: []int{}, Optional: true})
}

// block adds a residual block and returns how many features it leaves.
func (l *specs) block(prefix string, from, width int, r resnet) int {
	to := width * r.expansion()
	sizes, in := []int{3, 3}, []int{from, width}
	if r.bottleneck {
		sizes, in = []int{1, 3, 1}, []int{from, width, width}
	}
	for k, size := range sizes {
		out := width
		if k == len(sizes)-1 {
			out = to
		}
		l.conv(fmt.Sprintf("%sconv%d", prefix, k+1), out, in[k], size)
		l.norm(fmt.Sprintf("%sbn%d", prefix, k+1), out)
	}
	if strings.HasSuffix(prefix, ".0.") && from != to {
		l.conv(prefix+"downsample.0", to, from, 1)
		l.norm(prefix+"downsample.1", to)
	}
	return to
}

// guessArch tells the architecture by the number of blocks; empty if it is none
// of ours.
func guessArch(c *Checkpoint) string {
	var found resnet
	for _, t := range c.Tensors {
		if t.Name == "conv1.weight" && len(t.Shape) == 4 {
			found.width = t.Shape[0]
		}
		var stage, block int
		if _, err := fmt.Sscanf(t.Name, "layer%d.%d.", &stage, &block); err != nil || stage < 1 || stage > len(found.blocks) {
			continue
		}
		found.blocks[stage-1] = max(found.blocks[stage-1], block+1)
		found.bottleneck = found.bottleneck || strings.HasSuffix(t.Name, ".conv3.weight")
	}
	suffix := ""
	if found.width != standardWidth {
		suffix = fmt.Sprintf("_w%d", found.width)
	}
	for name, r := range resnets() {
		r.width = found.width
		if r == found {
			return name + suffix
		}
	}
	return ""
}

// Differences are the tensors of a checkpoint against those that its network
// needs.
type Differences struct {
	Missing  []Spec
	Surplus  []Spec // tensors that the network has no use for; harmless
	Reshaped []Reshaped
}

// Reshaped is a tensor of another shape than the network needs.
type Reshaped struct {
	Name        string
	Want, Found []int
}

// Check compares the tensors with those of [Checkpoint.Expect], and returns its
// error.
func (c *Checkpoint) Check() (*Differences, error) {
	want, err := c.Expect()
	if err != nil {
		return nil, err
	}
	found := map[string]*Tensor{}
	for _, t := range c.Tensors {
		found[t.Name] = t
	}
	d := &Differences{}
	for _, w := range want {
		t, ok := found[w.Name]
		delete(found, w.Name)
		switch {
		case !ok && !w.Optional:
			d.Missing = append(d.Missing, w)
		case ok && !slices.Equal(t.Shape, w.Shape):
			d.Reshaped = append(d.Reshaped, Reshaped{Name: w.Name, Want: w.Shape, Found: t.Shape})
		}
	}
	for _, t := range c.Tensors {
		if found[t.Name] != nil {
			d.Surplus = append(d.Surplus, Spec{Name: t.Name, Shape: t.Shape})
		}
	}
	return d, nil
}

// maxListed is how many tensors an error names.
const maxListed = 10

// Err returns what keeps the network from being built, missing tensors and
// those of another shape, as *[FormatError]s of the path; nil if there is
// nothing. At most ten are listed.
func (d *Differences) Err(path string) error {
	var errs []error
	for _, m := range d.Missing {
		errs = append(errs, bad(path, "want tensor %v, found none", m))
	}
	for _, r := range d.Reshaped {
		errs = append(errs, bad(path, "want tensor %s of shape %v, found %v", clip(r.Name), r.Want, r.Found))
	}
	if more := len(errs) - maxListed; more > 0 {
		errs = append(errs[:maxListed], fmt.Errorf("and %d more", more))
	}
	return errors.Join(errs...)
}

// Parameters counts the numbers that training learns: all tensors but the
// running statistics of batch norms.
func (c *Checkpoint) Parameters() int64 {
	total := int64(0)
	for _, t := range c.Tensors {
		if !strings.Contains(t.Name, ".running_") && !strings.HasSuffix(t.Name, ".num_batches_tracked") {
			total += t.elements()
		}
	}
	return total
}
