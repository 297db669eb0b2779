package weights_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"locbench/retrieval/weights"
)

// archive is a PyTorch zip file of that object and storages.
func archive(t *testing.T, method uint16, object string, storages ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	entry := func(name, text string) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	entry("x/data.pkl", object)
	for i, s := range storages {
		entry(fmt.Sprintf("x/data/%d", i), s)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tensorRecord is the record of a tensor of float32 with any numbers.
func tensorRecord(key string, elements, offset int, shape, stride []int) string {
	return "ctorch._utils\n_rebuild_tensor_v2\n((" + unicode("storage") + "ctorch\nFloatStorage\n" + unicode(key) + unicode("cpu") +
		integer(elements) + "tQ" + integer(offset) + ints(shape) + ints(stride) + "\x89NtR"
}

func stateDict(record string) string { return "\x80\x02}" + unicode("a") + record + "s." }

const million = 1_000_000

// TestHostile checks files whose numbers do not fit their data.
func TestHostile(t *testing.T) {
	four := strings.Repeat("\x00", 16)
	tests := map[string]struct {
		object string
		want   string
	}{
		"no such storage":    {stateDict(tensorRecord("7", 4, 0, []int{4}, []int{1})), `want an entry "x/data/7", found none`},
		"key as a path":      {stateDict(tensorRecord("../../../etc/passwd", 4, 0, []int{4}, []int{1})), "want an entry"},
		"long storage":       {stateDict(tensorRecord("0", 5, 0, []int{4}, []int{1})), `want 5 elements in storage "0", found 4`},
		"negative elements":  {stateDict(tensorRecord("0", -1, 0, []int{4}, []int{1})), "number of elements"},
		"behind the storage": {stateDict(tensorRecord("0", 4, 1, []int{4}, []int{1})), "tensor a: want a tensor inside its storage"},
		"stride":             {stateDict(tensorRecord("0", 4, 0, []int{2, 2}, []int{3, 1})), "want a tensor inside its storage"},
		"negative stride":    {stateDict(tensorRecord("0", 4, 3, []int{4}, []int{-1})), "want sizes and strides"},
		"negative size":      {stateDict(tensorRecord("0", 4, 0, []int{-4}, []int{1})), "want sizes and strides"},
		"negative offset":    {stateDict(tensorRecord("0", 4, -1, []int{4}, []int{1})), "and an offset"},
		"huge":               {stateDict(tensorRecord("0", 4, 0, []int{million, million, million}, []int{0, 0, 0})), "want sizes and strides"},
		"one element often":  {stateDict(tensorRecord("0", 4, 0, []int{million, million}, []int{0, 0})), "found views of them that take more than"},
		"a stride too few":   {stateDict(tensorRecord("0", 4, 0, []int{4}, []int{})), "want a stride for each"},
		"number":             {stateDict("K\x07"), `want a tensor for "a" in the state dict, found a number`},
		"list":               {"\x80\x02].", "found a list"},
		"no state dict":      {"\x80\x02}" + unicode("state_dict") + "K\x01s.", "want a dict as state_dict"},
		"empty":              {"\x80\x02}.", "want a state dict with tensors, found none"},
		"number as name":     {"\x80\x02}K\x01" + tensorRecord("0", 4, 0, []int{4}, []int{1}) + "s.", "want names of tensors"},
		"twice": {"\x80\x02}(" + unicode("a") + tensorRecord("0", 4, 0, []int{4}, []int{1}) + unicode("module.a") +
			tensorRecord("0", 4, 0, []int{4}, []int{1}) + "u.", "found two named a"},
		"whole module": {"\x80\x02ctorchvision.models.resnet\nResNet\n)\x81.", `found the global "torchvision.models.resnet.ResNet"`},
		"storage id":   {stateDict("K\x01Q"), "want the id of a storage"},
		"options": {"\x80\x02}(" + unicode("state_dict") + "}" + unicode("a") + tensorRecord("0", 4, 0, []int{4}, []int{1}) + "s" +
			unicode("model_options") + "}" + unicode("gemp") + unicode("three") + "su.", "want another value of the model option gemp, found three"},
		"pca":  {"\x80\x02}(" + unicode("state_dict") + "}" + unicode("pca") + "}" + unicode("s") + "}su.", `want a scikit-learn PCA for set "s", found a dict`},
		"mean": {"\x80\x02}(" + unicode("state_dict") + "}" + unicode("preprocess") + "}" + unicode("mean") + "]su.", "preprocess: want three numbers as mean"},
	}
	for name, test := range tests {
		for _, method := range []uint16{zip.Store, zip.Deflate} {
			t.Run(fmt.Sprint(name, " ", method), func(t *testing.T) {
				_, err := weights.ReadBytes(archive(t, method, test.object, four))
				if e := (*weights.FormatError)(nil); !errors.As(err, &e) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("want an error with %q, found %v", test.want, err)
				}
			})
		}
	}
}

// TestChecksum flips a bit of a value: the entry's checksum tells.
func TestChecksum(t *testing.T) {
	values := strings.Repeat("\x01\x02\x03\x04", 1000)
	data := archive(t, zip.Store, stateDict(tensorRecord("0", 1000, 0, []int{1000}, []int{1})), values)
	at := bytes.Index(data, []byte(values))
	data[at+1234] ^= 0x10
	c, err := weights.ReadBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := c.Tensor("a")
	if _, err := a.Float32(); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("byte %d: tensor a: zip: checksum error", at)) {
		t.Errorf("want a wrong checksum, found %v", err)
	}
}

// TestLegacyViews reads the views of storages that PyTorch 0.2 wrote, and
// refuses those that do not fit.
func TestLegacyViews(t *testing.T) {
	file := func(view string) []byte {
		record := "ctorch._utils\n_rebuild_tensor\n((" + unicode("storage") + "ctorch.cuda\nFloatStorage\n" + unicode("9") + unicode("cuda:0") +
			integer(4) + view + "tQK\x00K\x02\x85K\x01\x85tR"
		return []byte(legacyHead + "\x80\x02}" + unicode("little_endian") + "\x88s." + stateDict(record) + "\x80\x02]" + unicode("9") + "a." +
			"\x04\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40\x00\x00\x80\x40")
	}
	c, err := weights.ReadBytes(file("(" + unicode("v") + "K\x01K\x02t"))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := c.Tensor("a")
	if v, err := a.Float32(); err != nil || len(v) != 2 || v[0] != 2 || v[1] != 3 {
		t.Errorf("want 2 and 3, found %v, %v", v, err)
	}
	for view, want := range map[string]string{
		"(" + unicode("v") + "K\x03K\x02t":             "want a view inside storage",
		"(" + unicode("v") + "K\x03t":                  "want the view of a storage",
		"(" + unicode("v") + "J\xff\xff\xff\xffK\x02t": "want a view inside storage",
	} {
		if _, err := weights.ReadBytes(file(view)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, found %v", want, err)
		}
	}
}

// TestLegacyErrors checks the parts around the object of a legacy file.
func TestLegacyErrors(t *testing.T) {
	object := stateDict("ctorch._utils\n_rebuild_tensor\n((" + unicode("storage") + "ctorch\nFloatStorage\n" + unicode("9") + unicode("cpu") + "K\x01NtQK\x00))tR")
	sys, keys, one := "\x80\x02}"+unicode("little_endian")+"\x88s.", "\x80\x02]"+unicode("9")+"a.", "\x01\x00\x00\x00\x00\x00\x00\x00"
	tests := map[string]struct{ in, want string }{
		"magic":        {"\x80\x02K\x01.", "byte 0: want PyTorch's magic number"},
		"version":      {legacyHead[:15] + "\x80\x02K\x01.", "byte 15: want version 1001"},
		"big-endian":   {legacyHead + "\x80\x02}" + unicode("little_endian") + "\x89s.", "byte 21: want values in little-endian order"},
		"keys":         {legacyHead + sys + object + "\x80\x02K\x01.", "want the list of storages"},
		"unknown key":  {legacyHead + sys + object + "\x80\x02]" + unicode("8") + "a." + one + "abcd", `want a storage that the object names, found "8"`},
		"key missing":  {legacyHead + sys + object + "\x80\x02].", `want storage "9" behind the object`},
		"no length":    {legacyHead + sys + object + keys + "\x01", "want the length of storage"},
		"wrong length": {legacyHead + sys + object + keys + "\x02\x00\x00\x00\x00\x00\x00\x00abcdefgh", `want 1 elements in storage "9", found 2`},
		"cut values":   {legacyHead + sys + object + keys + one + "abc", `want 4 bytes of storage "9", found the end of the file after 3: cut short?`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := weights.ReadBytes([]byte(test.in))
			if e := (*weights.FormatError)(nil); !errors.As(err, &e) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("want an error with %q, found %v", test.want, err)
			}
		})
	}
}

// TestNewerRecords reads what PyTorch 2 writes beside the records of 1.13.
func TestNewerRecords(t *testing.T) {
	untyped := "((" + unicode("storage") + "ctorch.storage\nUntypedStorage\n" + unicode("0") + unicode("cpu") + "K\x08tQ"
	v3 := "ctorch._utils\n_rebuild_tensor_v3\n" + untyped + "K\x00K\x02\x85K\x01\x85\x89ccollections\nOrderedDict\n)Rctorch\nfloat32\nNtR"
	size := "ctorch._utils\n_rebuild_tensor_v2\n((" + unicode("storage") + "ctorch\nFloatStorage\n" + unicode("0") + unicode("cpu") +
		"K\x02tQK\x00ctorch\nSize\nK\x02\x85\x85RK\x01\x85\x89NtR"
	for name, record := range map[string]string{"v3": v3, "torch.Size": size} {
		c, err := weights.ReadBytes(archive(t, zip.Store, stateDict(record), "\x00\x00\x80\x3f\x00\x00\x00\x40"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		a, _ := c.Tensor("a")
		if v, err := a.Float32(); err != nil || len(v) != 2 || v[0] != 1 || v[1] != 2 {
			t.Errorf("%s: want 1 and 2, found %v, %v", name, v, err)
		}
	}
}
