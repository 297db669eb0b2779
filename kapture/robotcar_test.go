package kapture

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The size of the RobotCar Seasons dataset: three cameras on a rig.
const (
	robotCarTimes        = 10_000
	robotCarPoints       = 500_000
	robotCarViewsPerLine = 6
)

var robotCarCameras = []string{"left", "rear", "right"}

func robotCarImage(camera string, time int) string {
	return fmt.Sprintf("robotcar_seasons/images/overcast-reference/%s/%016d.jpg", camera, 1417176458000000+int64(time)*62500)
}

// generateRobotCar writes a dataset of the size of RobotCar Seasons: 30,000
// images with poses by a rig, points with colours as numpy.savetxt writes them,
// observations, and a file of keypoints for every image, which is empty.
func generateRobotCar(tb testing.TB, dir string) {
	tb.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	keypoints := filepath.Join(dir, "reconstruction", "keypoints", "d2-net")
	images := make([]string, 0, len(robotCarCameras)*robotCarTimes)
	for _, c := range robotCarCameras {
		if err := os.MkdirAll(filepath.Join(keypoints, filepath.Dir(robotCarImage(c, 0))), 0o777); err != nil {
			tb.Fatal(err)
		}
	}
	for time := range robotCarTimes {
		for _, c := range robotCarCameras {
			image := robotCarImage(c, time)
			images = append(images, image)
			if err := os.WriteFile(filepath.Join(keypoints, image+".kpt"), nil, 0o666); err != nil {
				tb.Fatal(err)
			}
		}
	}
	generate(tb, filepath.Join(keypoints, "keypoints.txt"), func(w *bufio.Writer) {
		fmt.Fprintln(w, "# kapture format: 1.1\nd2-net, float32, 2")
	})
	generateSensors(tb, filepath.Join(dir, "sensors"), rng)
	generate(tb, filepath.Join(dir, "reconstruction", "points3d.txt"), func(w *bufio.Writer) {
		fmt.Fprintln(w, "# kapture format: 1.1\n# X, Y, Z, R, G, B")
		for range robotCarPoints {
			fmt.Fprintf(w, "%.18e,%.18e,%.18e,%.18e,%.18e,%.18e\n", rng.NormFloat64()*500, rng.NormFloat64()*500, rng.NormFloat64()*20,
				float64(rng.IntN(256)), float64(rng.IntN(256)), float64(rng.IntN(256)))
		}
	})
	generate(tb, filepath.Join(dir, "reconstruction", "observations.txt"), func(w *bufio.Writer) {
		fmt.Fprintln(w, "# kapture format: 1.1\n# point3d_id, keypoints_type, [image_path, feature_id]*")
		for point := range robotCarPoints {
			w.WriteString(strconv.Itoa(point))
			w.WriteString(", d2-net")
			for range robotCarViewsPerLine {
				w.WriteString(", ")
				w.WriteString(images[rng.IntN(len(images))])
				w.WriteString(", ")
				w.WriteString(strconv.Itoa(rng.IntN(20_000)))
			}
			w.WriteByte('\n')
		}
	})
}

func generateSensors(tb testing.TB, sensors string, rng *rand.Rand) {
	generate(tb, filepath.Join(sensors, "sensors.txt"), func(w *bufio.Writer) {
		fmt.Fprintln(w, "# kapture format: 1.1")
		for _, c := range robotCarCameras {
			fmt.Fprintf(w, "%s, , camera, PINHOLE, 1024, 1024, 400.0, 400.0, 508.222931, 498.187378\n", c)
		}
	})
	generate(tb, filepath.Join(sensors, "rigs.txt"), func(w *bufio.Writer) {
		fmt.Fprintln(w, "# kapture format: 1.1")
		for i, c := range robotCarCameras {
			fmt.Fprintf(w, "car, %s, 0.0, 0.0, 1.0, 0.0, %d.5, 0.0, 0.0\n", c, i)
		}
	})
	generate(tb, filepath.Join(sensors, "trajectories.txt"), func(w *bufio.Writer) {
		fmt.Fprintln(w, "# kapture format: 1.1")
		for time := range robotCarTimes {
			fmt.Fprintf(w, "%8d, car, 0.6, 0.0, 0.8, 0.0, %v, %v, %v\n", time, rng.NormFloat64()*500, rng.NormFloat64()*500, rng.NormFloat64())
		}
	})
	generate(tb, filepath.Join(sensors, "records_camera.txt"), func(w *bufio.Writer) {
		fmt.Fprintln(w, "# kapture format: 1.1")
		for time := range robotCarTimes {
			for _, c := range robotCarCameras {
				fmt.Fprintf(w, "%d, %s, %s\n", time, c, robotCarImage(c, time))
			}
		}
	})
}

func generate(tb testing.TB, name string, write func(w *bufio.Writer)) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		tb.Fatal(err)
	}
	f, err := os.Create(name)
	if err != nil {
		tb.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	write(w)
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
}

// readRobotCar reads everything and returns how long the parts took.
func readRobotCar(dir string) (parts map[string]time.Duration, err error) {
	parts = map[string]time.Duration{}
	lap := time.Now()
	step := func(name string, n, want int, e error) {
		parts[name] = time.Since(lap)
		lap = time.Now()
		if e != nil {
			err = e
		} else if n != want {
			err = fmt.Errorf("%s: read %d, want %d", name, n, want)
		}
	}
	images := len(robotCarCameras) * robotCarTimes
	d, e := Open(dir)
	if e != nil {
		return nil, e
	}
	step("tables", len(d.Cameras), images, nil)
	poses, e := d.ImagePoses()
	step("poses", len(poses), images, e)
	p, e := d.Points3D()
	if e != nil {
		return nil, e
	}
	step("points", len(p.Colors), robotCarPoints, nil)
	o, e := d.Observations()
	if e != nil {
		return nil, e
	}
	step("observations", o.Views(), robotCarPoints*robotCarViewsPerLine, nil)
	f, e := d.Features(Keypoints, "d2-net")
	if e != nil {
		return nil, e
	}
	step("keypoints", len(f.Images()), images, f.Close())
	return parts, err
}

const robotCarEnv = "KAPTURE_ROBOTCAR_DIR"

// TestReadRobotCarChild reads the dataset in a process of its own and prints
// its peak memory, for the benchmark below.
func TestReadRobotCarChild(t *testing.T) {
	dir := os.Getenv(robotCarEnv)
	if dir == "" {
		t.Skip("part of BenchmarkReadRobotCarSize: skipped")
	}
	start := time.Now()
	if _, err := readRobotCar(dir); err != nil {
		t.Fatal(err)
	}
	t.Logf("read in %v", time.Since(start))
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no /proc: peak memory unknown")
	}
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	fmt.Printf("peak=%s\n", strings.Fields(peak)[0])
}

// peakMemory reads the dataset in a child process and returns its peak
// resident memory in megabytes (10⁶ bytes).
func peakMemory(b *testing.B, dir string) float64 {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestReadRobotCarChild$")
	cmd.Env = append(os.Environ(), robotCarEnv+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	_, peak, ok := strings.Cut(string(out), "peak=")
	if !ok {
		return 0
	}
	kib, err := strconv.ParseFloat(strings.Fields(peak)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kib * 1024 / 1e6
}

// BenchmarkReadRobotCarSize reads 30,000 images with poses, 500,000 points and
// 3,000,000 observations. The Python reader takes 6.1 s and 1,165 MB.
func BenchmarkReadRobotCarSize(b *testing.B) {
	dir := b.TempDir()
	generateRobotCar(b, dir)
	sums := map[string]time.Duration{}
	for b.Loop() {
		parts, err := readRobotCar(dir)
		if err != nil {
			b.Fatal(err)
		}
		for name, d := range parts {
			sums[name] += d
		}
	}
	for name, d := range sums {
		b.ReportMetric(d.Seconds()/float64(b.N)*1e3, name+"-ms")
	}
	b.ReportMetric(peakMemory(b, dir), "peak-MB")
}
