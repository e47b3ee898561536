package sandbox_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// phoneThat is a phone of the sandbox whose holder answers in a way.
func phoneThat(t *testing.T, answers string) string {
	t.Helper()
	for n := range 1000 {
		if phone := fmt.Sprintf("9198000%05d", 20000+n); sandbox.AnswerOf(phone) == answers {
			return phone
		}
	}
	t.Fatalf("nobody %s", answers)
	return ""
}

// TestCustomersAnswerWhenAsked: as domain facts 6 shapes it.
func TestCustomersAnswerWhenAsked(t *testing.T) {
	t.Parallel()
	for _, answers := range []string{sandbox.AnswerTaps, sandbox.AnswerTypes, sandbox.AnswerCard} {
		t.Run(answers, func(t *testing.T) {
			t.Parallel()
			graph, _, taken := meta(t)
			phone := phoneThat(t, answers)
			id := sandbox.BSUID("506914300000001", phone)
			if _, err := graph.Send(t.Context(), token(t, sandbox.TokenGood), clinic, whatsapp.Outgoing{Address: id, Text: "May we?", Ask: true}); err != nil {
				t.Fatalf("ask: %v", err)
			}
			next(t, taken)
			next(t, taken)
			said := next(t, taken)
			if said.Party.BSUID != id || said.Party.Phone != "" || said.Direction != whatsapp.DirectionIn {
				t.Errorf("%+v answered, want the one who was asked, without a phone", said.Party)
			}
			switch answers {
			case sandbox.AnswerTypes:
				if !strings.Contains(said.Text, phone[2:7]) {
					t.Errorf("typed %q, want the number in it", said.Text)
				}
			default:
				own := answers == sandbox.AnswerTaps
				if len(said.Cards) != 1 || (said.Cards[0].Origin == whatsapp.OriginRequest) != own || said.Cards[0].HasVCard == own || said.Cards[0].Phones[0].WaID != phone {
					t.Errorf("cards are %+v", said.Cards)
				}
			}
		})
	}
}

func TestGraphRefusesAQuestionOfAnotherShape(t *testing.T) {
	t.Parallel()
	graph := sandbox.NewGraph(sandbox.GraphOptions{})
	t.Cleanup(graph.Close)
	server := httptest.NewServer(graph)
	t.Cleanup(server.Close)
	for body, want := range map[string]int{
		`{"type":"request_contact_info","body":{"text":"May we?"},"action":{"name":"request_contact_info"}}`: http.StatusOK,
		`{"type":"contact_request","body":{"text":"May we?"},"action":{"name":"request_contact_info"}}`:      http.StatusBadRequest,
		`{"type":"request_contact_info","body":{"text":"May we?"},"action":{"name":"share"}}`:                http.StatusBadRequest,
		`{"type":"request_contact_info","body":{"text":"May we?"}}`:                                          http.StatusBadRequest,
		`{"type":"request_contact_info","action":{"name":"request_contact_info"}}`:                           http.StatusBadRequest,
		`null`: http.StatusBadRequest,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/"+clinic+"/messages", strings.NewReader(
			`{"messaging_product":"whatsapp","recipient_type":"individual","recipient":"CO.1092755501238467","type":"interactive","interactive":`+body+`}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token(t, sandbox.TokenGood))
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		said, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: %d %s, want %d", body, answer.StatusCode, said, want)
		}
	}
}
