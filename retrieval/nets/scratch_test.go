package nets

import (
	"context"
	"slices"
	"strings"
	"testing"
)

// TestWithLinear: the trunk stays as it is, and the descriptors of the images
// that were measured have the mean zero before they get unit length.
func TestWithLinear(t *testing.T) {
	ctx := context.Background()
	cfg := Config{Arch: "resnet10_w8", Pooling: "gem", GemP: 3, OutDim: 24, Mean: ImageNetMean(), Std: ImageNetStd()}
	images := trainingImages(20)
	trunk, err := Scratch(ctx, cfg, 1, images)
	if err != nil {
		t.Fatal(err)
	}
	cfg.OutDim = 40
	got, err := WithLinear(ctx, cfg, tensorsOf(trunk), 2, images)
	if err != nil {
		t.Fatal(err)
	}
	for i, tensor := range got {
		if tensor.Name == "fc.weight" && !slices.Equal(tensor.Shape, []int{40, 64}) {
			t.Errorf("fc.weight has the shape %v, want 40×64", tensor.Shape)
		}
		if !strings.HasPrefix(tensor.Name, "fc.") && !slices.Equal(tensor.Data, trunk[i].Data) {
			t.Errorf("tensor %s of the trunk has changed", tensor.Name)
		}
	}
	if _, err := WithLinear(ctx, cfg, tensorsOf(trunk), 2, nil); err == nil {
		t.Error("no images to measure are no error")
	}
}
