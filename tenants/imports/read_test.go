package imports_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/imports"
)

func utf16le(s string, mark bool) string {
	var out bytes.Buffer
	if mark {
		out.WriteString("\xFF\xFE")
	}
	for _, c := range utf16.Encode([]rune(s)) {
		out.Write([]byte{byte(c), byte(c >> 8)})
	}

	return out.String()
}

func readAll(list string) (string, error) {
	r, err := imports.NewReader(strings.NewReader(list))
	if err != nil {
		return "", err
	}
	var rows []string
	for {
		cells, err := r.Next()
		if errors.Is(err, io.EOF) {
			return strings.Join(rows, " / "), nil
		}
		if err != nil {
			return "", err
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
}

func TestReadsWhatSpreadsheetsWrite(t *testing.T) {
	t.Parallel()
	const want = "नाम|phone / आशा|+919812345601 / Ravi, Kumar|98123"
	for name, list := range map[string]string{
		"plain":        "नाम,phone\nआशा,+919812345601\n\"Ravi, Kumar\",98123\n",
		"no last end":  "नाम,phone\nआशा,+919812345601\n\"Ravi, Kumar\",98123",
		"windows ends": "नाम,phone\r\nआशा,+919812345601\r\n\"Ravi, Kumar\",98123\r\n",
		"mac ends":     "नाम,phone\rआशा,+919812345601\r\"Ravi, Kumar\",98123\r",
		"mixed ends":   "नाम,phone\r\nआशा,+919812345601\r\n\n\"Ravi, Kumar\",98123\n,,\n",
		"mark":         "\uFEFFनाम,phone\nआशा,+919812345601\n\"Ravi, Kumar\",98123\n",
		"utf-16":       utf16le("नाम,phone\r\nआशा,+919812345601\r\n\"Ravi, Kumar\",98123\r\n", true),
		"semicolons":   "नाम;phone\nआशा;+919812345601\nRavi, Kumar;98123\n",
		"tabs":         utf16le("नाम\tphone\r\nआशा\t+919812345601\r\nRavi, Kumar\t98123\r\n", true),
		"bars":         "नाम|phone\nआशा|+919812345601\nRavi, Kumar|98123\n",
		"named":        "sep=;\r\nनाम;phone\r\nआशा;+919812345601\r\nRavi, Kumar;98123\r\n",
		"spaces":       "नाम , phone\n आशा ,+919812345601 \n\"Ravi, Kumar\",98123\n",
	} {
		if got, err := readAll(list); err != nil || got != want {
			t.Errorf("%s: want %q, got %q %v", name, want, got, err)
		}
	}

	if got, err := readAll("name,note\nAsha,\"two\nlines\"\n"); err != nil || got != "name|note / Asha|two\nlines" {
		t.Errorf("want a line break inside a cell, got %q %v", got, err)
	}
	if got, err := readAll("name,city\nJos\xe9,Malm\xf6\n"); err != nil || got != "name|city / José|Malmö" {
		t.Errorf("want the old Windows encoding, got %q %v", got, err)
	}
	if got, err := readAll(utf16le("name,phone\nAsha,1\n", false)); err != nil || got != "name|phone / Asha|1" {
		t.Errorf("want UTF-16 without a mark, got %q %v", got, err)
	}
}

func TestRefusesWhatIsNoList(t *testing.T) {
	t.Parallel()
	for want, list := range map[string]string{
		"empty_file":       " \r\n ",
		"is_workbook":      "PK\x03\x04\x14\x00\x06\x00",
		"not_text":         "name,phone\n\x00\x01\x02\x00\x00binary\x00",
		"too_many_columns": strings.Repeat("a,", 10_000) + "\n",
		"open_quote":       "name,phone\n\"Asha,98123\n" + strings.Repeat("Ravi,9812345602\n", 20_000),
		"too_many_rows":    strings.Repeat("a,b\n", imports.MaxRows+1),
	} {
		_, err := readAll(list)
		var invalid *tenants.Invalid
		if !errors.As(err, &invalid) || invalid.Key != want || invalid.Field != "file" {
			t.Errorf("want %s, got %v", want, err)
		}
	}
	if _, err := readAll("name,x\nAsha," + strings.Repeat("long ", 10_000_000)); err == nil {
		t.Errorf("want a cell of 50 MB refused")
	}
}

func TestGuessesColumns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sample, want, country string }{
		{"Name|Mobile No.|WhatsApp ID|Customer ID|Username|City", "headed name phone bsuid external username -", "IN"},
		{"नाम|मोबाइल नंबर|ग्राहक संख्या|शहर", "headed name phone external -", "IN"},
		{"Party Name|WhatsApp Number|Consumer No", "headed name phone external", "IN"},
		{"A|B|C / Asha|98123 45601|IN.77044188 / Ravi|98123 45602|IN.77044189", "headed - phone bsuid", "IN"},
		{"Asha|+919812345601 / Ravi|+919812345602", "- phone", "IN"},
		{"Phone|Phone 2", "headed phone -", "IN"},
		{"Nome|Telefone celular / João|11 96123-4567", "headed - phone", "BR"},
	} {
		var sample [][]string
		for _, row := range strings.Split(c.sample, " / ") {
			sample = append(sample, strings.Split(row, "|"))
		}
		m := imports.Guess(sample, c.country)
		var got []string
		if m.Headed {
			got = append(got, "headed")
		}
		for _, column := range m.Columns {
			if column == "" {
				column = "-"
			}
			got = append(got, column)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: want %s, got %s", c.sample, c.want, strings.Join(got, " "))
		}
	}
}

// The cells are those of the attack cases: whatever a spreadsheet could take for a formula is text, and comes back as it was.
func TestNoCellIsAFormula(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"=1+1": "'=1+1", "+919812345601": "'+919812345601", "-5": "'-5", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t'=1", "\r=1": "'\r'=1",
		"＝1": "'＝1", " =1": "' =1", "a;=1": "a;'=1", "a\n=1": "a\n'=1", "\"=1": "\"'=1", "'=1": "''=1",
		"Asha": "Asha", "a-b": "a-b", "O'Brien": "O'Brien", "C-1": "C-1", "": "", "a = b": "a = b",
	} {
		if got := imports.Defuse(cell); got != want {
			t.Errorf("%q: want %q, got %q", cell, want, got)
		}
	}
}

func FuzzDefuse(f *testing.F) {
	for _, seed := range []string{"=1", "+91 98", "'=x", "a;'-b", "\t\t=", "\"\"=", "'''+", ";=;=", "\r\n=", ",'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		cell = strings.ToValidUTF8(cell, "")
		safe := imports.Defuse(cell)
		if got := imports.Restore(safe); got != cell {
			t.Errorf("%q became %q and came back as %q", cell, safe, got)
		}
		for _, part := range strings.FieldsFunc(safe, func(r rune) bool { return strings.ContainsRune(",;|\t\r\n\"", r) }) {
			if strings.ContainsAny(part[:1], "=+-@") {
				t.Errorf("%q became %q, in which a part begins like a formula", cell, safe)
			}
		}
	})
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("a,b\n\"c\nd\",e\n"))
	f.Add([]byte("\xFF\xFEa\x00,\x00"))
	f.Add([]byte("sep=;\r\n\"\"\"\";\r"))
	f.Fuzz(func(t *testing.T, list []byte) {
		r, err := imports.NewReader(bytes.NewReader(list))
		for err == nil {
			var cells []string
			if cells, err = r.Next(); err == nil && len(cells) == 0 {
				t.Fatal("a row without cells")
			}
		}
		var invalid *tenants.Invalid
		if !errors.Is(err, io.EOF) && !errors.As(err, &invalid) {
			t.Error(fmt.Errorf("want a refusal in words: %w", err))
		}
	})
}

func TestARowWithAnOpenQuoteIsNamed(t *testing.T) {
	t.Parallel()
	for name, list := range map[string]string{
		"to the end":       "name,phone\nAsha,+919812345601\n98123,\"Ravi\n+919812345602,Gopal\n",
		"to the next mark": "name,phone\nAsha,+919812345601\n\"Ravi,+919812345602\n\"Gopal\",+919812345603\n",
	} {
		s := newShop(t, false)
		s.work()
		if got := s.reasons(s.try(s.upload(strings.NewReader(list)), nil)); got != "3 open_quote" {
			t.Errorf("%s: want the third row's own reason, got %q", name, got)
		}
	}

	s := newShop(t, false)
	s.work()
	closed := "name,phone,notes\nAsha,+919812345601,\"lane 2\nBhopal, 5\"\" pipe\"\nRavi 6\" pipe,+919812345602,\n"
	if i := s.try(s.upload(strings.NewReader(closed)), nil); i.New != 2 {
		t.Errorf("want both rows taken, got %d, %s", i.New, s.reasons(i))
	}
}
