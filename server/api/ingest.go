package api

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
)

// Ingest answers GET /ingest: the zero-loss meter.
func (a *API) Ingest(c *fiber.Ctx) error {
	if _, err := params(c); err != nil {
		return err
	}
	meter, err := ingest.TenantMeter(c.UserContext(), a.DB, caller(c).Tenant.ID)
	if err != nil {
		return err
	}

	return answer(c, meter)
}

type replayInput struct {
	From    *time.Time `json:"from"`
	To      *time.Time `json:"to"`
	ItemIDs *[]string  `json:"item_ids"`
}

// Replay answers POST /ingest/replay with the job that does it.
func (a *API) Replay(c *fiber.Ctx) error {
	if _, err := params(c); err != nil {
		return err
	}
	var in replayInput
	if err := body(c, &in); err != nil {
		return err
	}
	var what ingest.ReplayInput
	switch {
	case in.ItemIDs != nil && (in.From != nil || in.To != nil):
		return &tenants.Invalid{Field: "item_ids", Key: "not_for_this"}
	case in.ItemIDs != nil && len(*in.ItemIDs) == 0:
		return &tenants.Invalid{Field: "item_ids", Key: "needed"}
	case in.ItemIDs != nil && len(*in.ItemIDs) > ingest.MaxReplayIDs:
		return &tenants.Invalid{Field: "item_ids", Key: "too_many"}
	case in.ItemIDs != nil:
		items := a.Keys.Veil(caller(c).Tenant.ID, ingest.VeilItem)
		for _, text := range *in.ItemIDs {
			given, err := id(text)
			if err != nil {
				return err
			}
			n, ok := items.Read(given)
			if !ok {
				return tenants.ErrNotFound
			}
			what.ItemIDs = append(what.ItemIDs, n)
		}
	case in.From == nil:
		return &tenants.Invalid{Field: "from", Key: "needed"}
	case in.To == nil:
		return &tenants.Invalid{Field: "to", Key: "needed"}
	default:
		what.From, what.To = *in.From, *in.To
	}

	ctx := c.UserContext()

	return a.write(c, func(tx *tenants.Tx) (int, any, error) {
		which, err := ingest.Replay(ctx, tx, caller(c).Actor, what)
		if err != nil {
			return 0, nil, err
		}
		job, err := ingest.JobByID(ctx, tx, which)

		return fiber.StatusAccepted, newJob(job), err
	})
}

// Job answers GET /jobs/{id}.
func (a *API) Job(c *fiber.Ctx) error {
	which, err := a.only(c)
	if err != nil {
		return err
	}

	var job ingest.Job
	err = a.read(c, func(tx *tenants.Tx) (err error) {
		job, err = ingest.JobByID(c.UserContext(), tx, which)
		return err
	})
	if err != nil {
		return err
	}

	return answer(c, newJob(job))
}

func newJob(j ingest.Job) ingest.Job {
	j.CreatedAt, j.FinishedAt = j.CreatedAt.UTC(), utc(j.FinishedAt)

	return j
}
