package backend

// Compiled lists the backends that this program was built with.
func Compiled() []string {
	if errNoXLA != nil {
		return []string{"go"}
	}
	return []string{"go", "xla"}
}
