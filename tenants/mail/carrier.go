package mail

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Carrier takes a finished mail to where it goes, and says from whom it is.
type Carrier struct {
	From  string // "Pehchan <no-reply@pehchan.example>"
	carry func(context.Context, *gomail.Msg) error
}

const (
	sender   = "Pehchan"
	dialTime = 30 * time.Second
)

// ByURL is the mail server of a URL: smtp://user:password@host:587?from=Name+<address>, or smtps:// where the connection is encrypted
// from the start. Without smtps the server must offer TLS, unless it is on this machine. from is no-reply at the host where the URL does
// not say.
func ByURL(raw string) (Carrier, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return Carrier{}, errors.New("the address of the mail server cannot be read") // its own words would repeat the password
	}
	from := u.Query().Get("from")
	if from == "" {
		from = sender + " <no-reply@" + u.Hostname() + ">"
	}
	opts := []gomail.Option{gomail.WithTimeout(dialTime)}
	switch {
	case u.Scheme == "smtps":
		opts = append(opts, gomail.WithSSLPort(false))
	case loopback(u.Hostname()):
		opts = append(opts, gomail.WithTLSPortPolicy(gomail.TLSOpportunistic))
	default:
		opts = append(opts, gomail.WithTLSPortPolicy(gomail.TLSMandatory))
	}
	if u.Port() != "" {
		port, err := strconv.Atoi(u.Port())
		if err != nil {
			return Carrier{}, errors.New("the port of the mail server cannot be read")
		}
		opts = append(opts, gomail.WithPort(port))
	}
	if u.User != nil {
		password, _ := u.User.Password()
		opts = append(opts, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	client, err := gomail.NewClient(u.Hostname(), opts...)
	if err != nil {
		return Carrier{}, fmt.Errorf("mail server: %w", err)
	}
	if err := gomail.NewMsg().From(from); err != nil {
		return Carrier{}, fmt.Errorf("the from of the mail server: %w", err)
	}

	return Carrier{From: from, carry: func(ctx context.Context, msg *gomail.Msg) error { return hand(ctx, client, msg) }}, nil
}

// hand gives a mail to the server. What goes wrong after the server has taken it does not count: trying again would send it twice.
func hand(ctx context.Context, client *gomail.Client, msg *gomail.Msg) error {
	line, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return err //nolint:wrapcheck // read by problemOf
	}
	err = client.SendWithSMTPClient(line, msg)
	_ = client.CloseWithSMTPClient(line)
	if msg.IsDelivered() {
		return nil
	}

	return err //nolint:wrapcheck // read by problemOf
}

func loopback(host string) bool {
	ip := net.ParseIP(host)

	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// ToFolder writes each mail as a file, for an installation without a mail server.
func ToFolder(folder string) Carrier {
	return Carrier{From: sender + " <no-reply@localhost>", carry: func(_ context.Context, msg *gomail.Msg) error {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return fmt.Errorf("make folder of mails: %w", err)
		}
		id, _, _ := strings.Cut(strings.Trim(msg.GetMessageID(), "<>"), "@")
		name := filepath.Join(folder, time.Now().UTC().Format("20060102T150405.000")+"-"+id+".eml")
		// Whole or not at all.
		if err := msg.WriteToFile(name + ".part"); err != nil {
			return fmt.Errorf("write mail: %w", err)
		}
		if err := os.Rename(name+".part", name); err != nil {
			return fmt.Errorf("write mail: %w", err)
		}

		return nil
	}}
}
