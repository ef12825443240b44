// Package gosource reads what Go source declares, for checks of this module's own.
package gosource

import "go/ast"

// Receiver is the type of a method's receiver, "Table" for that of *Table[V], and "" for a function.
func Receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	t := f.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.ParenExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return "?" // no type that compiles
		}
	}
}

// Name is the name of a function, or of a method with its type: "Table.Lookup".
func Name(f *ast.FuncDecl) string {
	if r := Receiver(f); r != "" {
		return r + "." + f.Name.Name
	}
	return f.Name.Name
}
