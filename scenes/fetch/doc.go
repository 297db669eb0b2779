// Package fetch downloads archives and unpacks them. It believes nobody: what a
// server sends is held against a SHA-256, what an archive holds stays in its
// folder, and nothing of either is ever executed.
package fetch
