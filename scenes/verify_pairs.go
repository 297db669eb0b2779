package scenes

import (
	"io/fs"
	"os"
	"path/filepath"

	"locbench/kapture"
)

// pairs checks the pairs files of the scene's folder.
func (v *verifier) pairs() {
	known := map[string]bool{}
	for _, im := range v.scene.mapping {
		known[im.Name] = true
	}
	for _, im := range v.scene.queries {
		known[im.Name] = true
	}
	for _, folder := range []string{"pairsfiles", "pairsfile"} {
		root := filepath.Join(v.scene.Dir, folder)
		if _, err := os.Stat(root); err != nil {
			continue
		}
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() && filepath.Ext(path) == ".txt" {
				v.pairsFile(path, known)
			}
			return err
		})
		v.addError("pairs file", root, err)
	}
}

func (v *verifier) pairsFile(path string, known map[string]bool) {
	if err := kapture.CheckFile(path); err != nil {
		v.addError("pairs file", path, err)
		return
	}
	file, err := os.Open(path)
	if err != nil {
		v.addError("pairs file", path, err)
		return
	}
	defer file.Close()
	pairs, err := kapture.ReadPairs(file, path)
	if err != nil {
		v.addError("pairs file", path, err)
		return
	}
	for i, pair := range pairs {
		for _, name := range []string{pair.Query, pair.Map} {
			if !known[name] {
				v.add(Problem{Path: path, Line: v.lines.at(path, i), Severity: Error, Check: "unknown image in pairs"},
					"want images of the scene, found %s", name)
			}
		}
		if pair.Query == pair.Map {
			v.add(Problem{Path: path, Line: v.lines.at(path, i), Severity: Warning, Check: "self match in pairs"},
				"image %s is paired with itself", pair.Query)
		}
	}
}
