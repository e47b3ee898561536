// Command pehchan is the whole product in one program: the web server, the background work, the schema, and the commands that
// set up what is not set up in a browser.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/pehchan/pehchan/tenants"
)

// The exit codes scripts rely on.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// commands is the command line: one field a command, each in a file of its own.
type commands struct {
	JSON bool `name:"json" help:"Answer with one JSON object on standard output."`

	Run     runCmd     `cmd:"" help:"All in one: embedded Postgres, demo world, web, background work, a stand-in for WhatsApp."`
	Serve   serveCmd   `cmd:"" help:"The web server alone."`
	Work    workCmd    `cmd:"" help:"The background work alone."`
	Migrate migrateCmd `cmd:"" help:"Bring the database schema up to date, as its owner."`

	Operator struct {
		Add operatorAddCmd `cmd:"" help:"Add a platform operator; reads the password from standard input."`
	} `cmd:"" help:"People who run the platform."`
	Tenant struct {
		Add tenantAddCmd `cmd:"" help:"Add a business and its owner; reads the owner's password from standard input."`
	} `cmd:"" help:"Businesses on the platform."`
	User struct {
		Add         userAddCmd         `cmd:"" help:"Add a person to a business; reads the password from standard input."`
		ResetFactor userResetFactorCmd `cmd:"" help:"Take away the second step of signing in of somebody who has lost their device."`
	} `cmd:"" help:"People of a business."`
	App struct {
		Add appAddCmd `cmd:"" help:"Add a Meta app; reads {\"app_secret\",\"verify_token\"} from standard input."`
	} `cmd:"" help:"Meta apps, whose secrets sign webhooks."`
	Number struct {
		Connect numberConnectCmd `cmd:"" help:"Connect a WhatsApp number; reads {\"access_token\"} from standard input."`
	} `cmd:"" help:"WhatsApp numbers of a business."`
	Apikey struct {
		Add apikeyAddCmd `cmd:"" help:"Make a key for the JSON API and print it, this once."`
	} `cmd:"" help:"Keys for the JSON API."`

	Sandbox  sandboxCmd  `cmd:"" help:"A stand-in for WhatsApp's Graph API; prints its ids and tokens."`
	Simulate simulateCmd `cmd:"" help:"Send signed webhooks of a made-up world of people."`

	Audit struct {
		Verify auditVerifyCmd `cmd:"" help:"Check the audit chain; names the first bad entry."`
		Head   auditHeadCmd   `cmd:"" help:"Print where the chains end, signed, to be kept outside the database."`
	} `cmd:"" help:"The audit log."`
	Privacy struct {
		Erasures       privacyErasuresCmd `cmd:"" help:"Print who was erased, as keyed hashes, sealed, to be kept outside the database."`
		ReplayErasures privacyReplayCmd   `cmd:"" help:"Erase again whom a restored backup brought back, from that list."`
	} `cmd:"" help:"Customers who asked to be erased."`
	Adoption struct {
		Rebuild adoptionRebuildCmd `cmd:"" help:"Count customers, links and cases anew from what was kept of them; with --check, only say whether the sums are right."`
	} `cmd:"" help:"The counts of who is known by what."`
	Healthcheck healthcheckCmd `cmd:"" help:"Ask what runs on this machine whether it is well."`
}

// console is where a command reads and answers.
type console struct {
	stdin  io.Reader
	stdout io.Writer
	json   bool
	log    *slog.Logger
}

func main() {
	tenants.LeaveRoom()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := execute(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// execute runs one command line and returns its exit code.
func execute(ctx context.Context, args []string) (code int) {
	var line commands
	parser, err := kong.New(&line,
		kong.Name("pehchan"),
		kong.Description("Keeps one history per customer while WhatsApp hides phone numbers behind usernames."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(code int) { panic(exit(code)) }),
	)
	if err != nil {
		return failed(err)
	}
	defer func() {
		if early, ok := recover().(exit); ok {
			code = int(early)
		}
	}()

	chosen, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "pehchan: "+err.Error()+"; see pehchan --help")
		return exitUsage
	}

	out := &console{
		stdin: os.Stdin, stdout: os.Stdout, json: line.JSON,
		log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo})),
	}
	chosen.BindTo(ctx, (*context.Context)(nil))
	if err := chosen.Run(out); err != nil {
		return failed(err)
	}

	return exitDone
}

// exit is how --help leaves the parser.
type exit int

func failed(err error) int {
	var wrong usageError
	if errors.As(err, &wrong) {
		fmt.Fprintln(os.Stderr, "pehchan: "+wrong.Error()+"; see pehchan --help")
		return exitUsage
	}
	fmt.Fprintln(os.Stderr, "pehchan: "+sentence(err))

	return exitFailed
}

// usageError is a flag whose value the parser could not judge.
type usageError string

func (u usageError) Error() string { return string(u) }
