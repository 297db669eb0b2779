package nets

import (
	"fmt"
	"strconv"
	"strings"
)

// kind says what a layer does.
type kind int

const (
	convolution kind = iota
	maxPool          // 3×3, stride 2, padding 1
)

// layer is one step of a trunk. Values are numbered by the layer that makes
// them: layer i makes value i+1, and value 0 is the image.
type layer struct {
	kind         kind
	conv, bn     string // names of the tensors, as in torchvision's state dict
	in           int    // value
	add          int    // value added to the result, or -1
	relu         bool
	size, stride int // of the square filter; the padding is (size-1)/2
	from, to     int // channels
}

// arch is the trunk of a ResNet (He et al., CVPR 2016).
type arch struct {
	blocks     [4]int
	bottleneck bool
	width      int // features of the stem; 64 as published
}

// standardWidth is the width of the published networks.
const standardWidth = 64

// channels is the number of features at the trunk's end.
func (a arch) channels() int {
	if a.bottleneck {
		return 32 * a.width
	}
	return 8 * a.width
}

// archNames lists what [Config].Arch may be.
const archNames = "resnet10, resnet18, resnet34, resnet50, resnet101 or resnet152, with _w and the features of the stem for another width than 64"

// findArch knows torchvision's names, those with the suffix of the retrieval
// checkpoints, and narrower trunks such as resnet10_w16.
func findArch(name string) (arch, error) {
	base, width, ok := cutWidth(strings.TrimSuffix(name, "_rmac"))
	a := arch{width: width}
	switch {
	case !ok: // not known
	case base == "resnet10":
		a.blocks = [4]int{1, 1, 1, 1}
	case base == "resnet18":
		a.blocks = [4]int{2, 2, 2, 2}
	case base == "resnet34":
		a.blocks = [4]int{3, 4, 6, 3}
	case base == "resnet50":
		a.blocks, a.bottleneck = [4]int{3, 4, 6, 3}, true
	case base == "resnet101":
		a.blocks, a.bottleneck = [4]int{3, 4, 23, 3}, true
	case base == "resnet152":
		a.blocks, a.bottleneck = [4]int{3, 8, 36, 3}, true
	}
	if a.blocks[0] > 0 {
		return a, nil
	}
	if strings.Contains(name, "fpn") {
		return arch{}, fmt.Errorf("network %q: feature pyramids (FPN) are not supported: want %s", name, archNames)
	}
	return arch{}, fmt.Errorf("network %q: want %s", name, archNames)
}

// cutWidth splits resnet10_w16 into resnet10 and 16; a name without a width
// has the standard one. It is false for a width that is not 1…256.
func cutWidth(name string) (base string, width int, ok bool) {
	base, digits, found := strings.Cut(name, "_w")
	if !found {
		return name, standardWidth, true
	}
	width, err := strconv.Atoi(digits)
	return base, width, err == nil && 1 <= width && width <= 256
}

// layers lists the trunk in the order of computation.
func (a arch) layers() []layer {
	t := &trunk{}
	t.conv("conv1", "bn1", layer{in: 0, add: -1, relu: true, size: 7, stride: 2, from: 3, to: a.width})
	t.layers = append(t.layers, layer{kind: maxPool, in: 1, add: -1, size: 3, stride: 2, from: a.width, to: a.width})
	x, channels := 2, a.width
	for i, blocks := range a.blocks {
		width := a.width << i
		for j := range blocks {
			stride := 1
			if i > 0 && j == 0 {
				stride = 2
			}
			b := block{prefix: fmt.Sprintf("layer%d.%d.", i+1, j), x: x, from: channels, width: width, stride: stride}
			if a.bottleneck {
				x, channels = t.bottleneck(b), 4*width
			} else {
				x, channels = t.basic(b), width
			}
		}
	}
	return t.layers
}

// trunk collects layers.
type trunk struct{ layers []layer }

func (t *trunk) conv(conv, bn string, l layer) int {
	l.conv, l.bn = conv, bn
	t.layers = append(t.layers, l)
	return len(t.layers)
}

// block is a residual block: its input and its shape.
type block struct {
	prefix              string
	x                   int // value
	from, width, stride int
}

// shortcut is the value that a block adds to its result: its input, or the
// input projected where the shape changes.
func (t *trunk) shortcut(b block, to int) int {
	if b.stride == 1 && b.from == to {
		return b.x
	}
	return t.conv(b.prefix+"downsample.0", b.prefix+"downsample.1",
		layer{in: b.x, add: -1, size: 1, stride: b.stride, from: b.from, to: to})
}

// bottleneck has the stride on its 3×3 convolution, as torchvision has.
func (t *trunk) bottleneck(b block) int {
	w := b.width
	add := t.shortcut(b, 4*w)
	x := t.conv(b.prefix+"conv1", b.prefix+"bn1", layer{in: b.x, add: -1, relu: true, size: 1, stride: 1, from: b.from, to: w})
	x = t.conv(b.prefix+"conv2", b.prefix+"bn2", layer{in: x, add: -1, relu: true, size: 3, stride: b.stride, from: w, to: w})
	return t.conv(b.prefix+"conv3", b.prefix+"bn3", layer{in: x, add: add, relu: true, size: 1, stride: 1, from: w, to: 4 * w})
}

func (t *trunk) basic(b block) int {
	add := t.shortcut(b, b.width)
	x := t.conv(b.prefix+"conv1", b.prefix+"bn1", layer{in: b.x, add: -1, relu: true, size: 3, stride: b.stride, from: b.from, to: b.width})
	return t.conv(b.prefix+"conv2", b.prefix+"bn2", layer{in: x, add: add, relu: true, size: 3, stride: 1, from: b.width, to: b.width})
}
