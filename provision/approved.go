package provision

import (
	"context"
	"errors"

	"axgate/ledger"
	"axgate/prompts"
)

// promptApproved refuses a prompt file that the app may not name: only
// shipped ones, and those that it uploaded and that were approved (section 4).
func (s *Service) promptApproved(ctx context.Context, app, field, name string) error {
	if err := prompts.CheckName(name); err != nil {
		return resultInvalid.refuse(field, "%v", err)
	}
	if _, ok := prompts.ByName(name); ok {
		return nil
	}
	p, err := s.ledger.Prompt(ctx, app, name)
	switch {
	case errors.Is(err, ledger.ErrUnknownPrompt):
		return resultInvalid.refuse(field, "there is no prompt %s", name)
	case err != nil:
		return failed("read a prompt", err)
	case p.State != ledger.PromptApproved:
		return resultInvalid.refuse(field, "the prompt %s is %s, not approved", name, p.State)
	}
	return nil
}
