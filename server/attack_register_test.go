package server_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// attackCase is what shows one case of the attack list: the names of the tests, with the folders they are in, or why there are none.
// Partly says what of the case they do not show.
type attackCase struct {
	n      int
	tests  string
	partly string
	why    string
}

const attackCases = 104

// noForwarding is why most of section G does not apply.
const noForwarding = "nothing is sent to addresses that users give: the product has no forward addresses, and asks Graph, Meta's hosts for files and its mail server alone"

var attackRegister = []attackCase{
	// A. The wall between tenants
	{n: 1, tests: "server.TestAnothersRowsAreAsIfTheyWereNot server.TestAPIHidesAnotherTenant", partly: "how long answers take is not compared"},
	{n: 2, tests: "server.TestAnothersRowsAreAsIfTheyWereNot server.TestAPIHidesAnotherTenant", partly: "lists of ids are the other business's alone, not mixed with own ones"},
	{n: 3, tests: "server.TestAnothersRowsAreAsIfTheyWereNot server.TestAPIHidesAnotherTenant tenants/identity.TestNotIfAnotherTenant"},
	{n: 4, tests: "server.TestAnothersRowsAreAsIfTheyWereNot server.TestAPIReadsParametersStrictly", partly: "by header, field and parameter; nothing reads a cookie or a subdomain"},
	{n: 5, tests: "server.TestSwitchTenant"},
	{n: 6, tests: "server.TestNoPageHoldsAnothersWords server.TestEvents", partly: "by what only the other's seeded data holds, not by a canary in every field; pages, not the API's lists"},
	{n: 7, tests: "server.TestOddValuesEverywhere server.TestAPIReadsParametersStrictly", partly: "how long answers take is not asserted"},
	{n: 8, tests: "server.TestInvitationOfSomebodyElse", partly: "people's e-mail addresses; that a number is connected elsewhere is told, to whom Graph takes for its owner"},
	{n: 9, tests: "tenants/numbers.TestConnectProvesTheNumber tenants/numbers.TestConnectRefusesWhatIsNotProved tenants/numbers.TestOneOwnerAtATime"},
	{n: 10, tests: "server.TestListsOfOthersAreNotThere server.TestAnothersRowsAreAsIfTheyWereNot server.TestTalkOfMergedAndOfOthers", partly: "there are no signed addresses: every file is asked for with a session"},
	{n: 11, tests: "server.TestListsOfOthersAreNotThere server.TestAPIHidesAnotherTenant"},
	{n: 12, tests: "server.TestManyPagesAtOnceStayApart", partly: "a hundred and twenty pages at once; none is cut off, panics or runs out of time"},
	{n: 13, tests: "server.TestWithoutATenantThereIsNothing migrations.TestEveryTableHasItsWall"},
	{n: 14, tests: "server.TestManyDeliveriesAtOnce tenants/ingest.TestReceiveManyAtOnce", partly: "eighty requests at once, of deliveries alone"},
	{n: 15, tests: "server.TestOddValuesEverywhere server.TestHeadersOnEveryAnswer", partly: "that nothing may be kept; Range and If-None-Match are not tried, pages have no ETag"},
	{n: 16, tests: "server.TestSuspensionBitesEverywhere tenants/ingest.TestSuspendedTenantLosesNothing tenants/outbox.TestStatesStopSending"},

	// B. Roles
	{n: 17, tests: "server.TestEveryRouteForEveryRole server.TestAPIWantsAKeyWithTheScope"},
	{n: 18, tests: "server.TestAnothersRowsAreAsIfTheyWereNot server.TestAPIReadsBodiesStrictly server.TestForgedForms"},
	{n: 19, tests: "tenants/access.TestALeadManagesAgentsOnly tenants/access.TestTheLastOwnerStays tenants/access.TestRolesNotIfAnotherTenant"},
	{n: 20, tests: "server.TestPathTricks server.TestPathTricksOnEveryPage"},
	{n: 21, tests: "server.TestRevocationBitesAtOnce server.TestEvents tenants/access.TestSessionEnds", partly: "a stream ends with its session; that it ends with a role is not shown"},
	{n: 22, tests: "server.TestNamesGiveNoRights tenants/access.TestPolicy", partly: "the policy is part of the program and is never loaded again"},
	{n: 23, tests: "server.TestOperatorByLeave server.TestOperatorsWithoutLeaveSeeNothing server.TestLeaveRunsOutAndIsLeft"},
	{n: 24, tests: "server.TestAgentSeesNoNumbers server.TestExportMasksPhonesAndIsWrittenDown server.TestNothingHoldsASecret", partly: "crawled as the owner, who sees most; nothing looks for colleagues' second factors"},

	// C. Session and sign-in
	{n: 25, tests: "tenants/access.TestForgedTokens server.TestTokensAreNotBelieved"},
	{n: 26, tests: "server.TestTokensAreNotBelieved"},
	{n: 27, tests: "tenants/access.TestForgedTokens server.TestTokensAreNotBelieved", partly: "exp as a number in quotes is read as that number, in a token that only we can sign"},
	{n: 28, tests: "server.TestWhatTheServerItselfRefuses tenants/access.TestForgedTokens", partly: "memory is not measured"},
	{n: 29, tests: "server.TestRevocationBitesAtOnce server.TestSignOutEverywhereElse server.TestChangePassword server.TestSuspensionBitesEverywhere tenants/access.TestSessionEnds tenants/access.TestEnrolAtOnce"},
	{n: 30, tests: "server.TestSessionCookie", partly: "that the id has 256 bits is read, not measured"},
	{n: 31, tests: "server.TestEveryCookieIsOurs server.TestSessionCookie server.TestTwoSessionCookiesAreNone"},
	{n: 32, tests: "server.TestForgedForms server.TestSignInAndOutCannotBeForged server.TestEveryWriteWantsItsToken"},
	{n: 33, tests: "server.TestHeadersOnEveryRoute"},
	{n: 34, tests: "tenants/access.TestSignInLimit tenants/access.TestSignInLimitOfAnAddress", partly: "forty tries from forty addresses; the spray over accounts is put into the database"},
	{n: 35, tests: "server.TestLimitsCannotBeWalkedAround server.TestForwardedAddresses tenants/access.TestSignInLimit tenants/access.TestSignInLimitOfAnAddress"},
	{n: 36, tests: "server.TestSignInTellsNothing server.TestForgottenPassword", partly: "answers are compared, not how long they take; signing in and asking for a new password"},
	{n: 37, tests: "server.TestForgottenPassword server.TestForgottenPasswordIsNoWayIn tenants/access.TestResetPasswordKeepsSecondStep", partly: "not after a change of e-mail; the page's policy is same-origin, for the reason at secureHeaders"},
	{n: 38, tests: "server.TestAskedTwiceMailsOnce server.TestForgottenPasswordIsNoWayIn"},
	{n: 39, tests: "server.TestAskedTwiceMailsOnce server.TestOddRequestsOnTheWire"},
	{n: 40, tests: "tenants/access.TestSecondStep tenants/access.TestFirstStepIsWorthLittle tenants/access.TestSecondStepAtOnce tenants/access.TestEnrolAtOnce server.TestSignInWithSecondStep server.TestSecondStepChangesAskAgain"},
	{n: 41, tests: "tenants/access.TestPasswordRules tenants/access.TestPasswordsBeyond72BytesDiffer server.TestLargeAndCompressedBodies", partly: "that fifty at once hold up nobody is not shown"},
	{n: 42, tests: "server.TestNextStaysHere server.TestNoFormLeadsElsewhere"},
	{n: 43, tests: "server.TestOddValuesEverywhere server.TestNextStaysHere", partly: "by what is given in; the names of files that customers send are not followed to the header"},

	// D. The webhook's signature and handshake
	{n: 44, tests: "server.TestNearlyRightIsRefused server.TestOddRequestsOnTheWire tenants/whatsapp.TestSignatureIsExact tenants/ingest.TestRefusedAreCountedInTheBackground"},
	{n: 45, tests: "tenants/whatsapp.TestSignatureIsExact server.TestNearlyRightIsRefused"},
	{n: 46, tests: "server.TestEdgeCases tenants/ingest.TestRoutes"},
	{n: 47, tests: "tenants/whatsapp.TestSignatureIsExact"},
	{n: 48, tests: "tenants/whatsapp.TestSignatureIsExact tenants/whatsapp.TestSignatureVectors server.TestDeliveries"},
	{n: 49, tests: "server.TestDeliveries server.TestOddRequestsOnTheWire", partly: "Expect: 100-continue is not tried"},
	{n: 50, tests: "server.TestRotationHoldsBothSecrets tenants/whatsapp.TestEveryLiveSecretVerifies tenants/numbers.TestRotationKeepsTheOldSecretForAWhile", partly: "not under load"},
	{n: 51, tests: "server.TestHandshake server.TestNearlyRightIsRefused"},
	{n: 52, tests: "server.TestSecretsAreComparedInConstantTime"},
	{n: 53, tests: "server.TestNothingBesideTheTable server.TestDeliveries"},

	// E. What deliveries hold
	{n: 54, tests: "server.TestDeliveries server.TestManyDeliveriesAtOnce tenants/ingest.TestRepeatsAreRouted", partly: "twice and not a thousand times, and not eight days later"},
	{n: 55, tests: "server.TestSameIDWithOtherWords tenants/conversations.TestOtherWordsAreRemembered"},
	{n: 56, tests: "tenants/ingest.TestEachTenantGetsItsOwn"},
	{n: 57, tests: "server.TestDeliveries server.TestWhatTheServerItselfRefuses server.TestOddRequestsOnTheWire tenants/whatsapp.TestUnusableEnvelopesAreRefused", partly: "memory is not measured, and nothing of 100 MB is sent"},
	{n: 58, tests: "server.TestDeliveries server.TestLargeAndCompressedBodies", partly: "memory is not measured: nothing is unpacked"},
	{n: 59, tests: "tenants/whatsapp.TestOddItemsLeaveNeighboursUnharmed tenants/whatsapp.TestUnusableEnvelopesAreRefused", partly: "how long it takes is not asserted; keys that collide are not tried"},
	{n: 60, tests: "tenants/whatsapp.TestHostileTextIsStorable tenants/ingest.TestRoutes tenants/whatsapp.FuzzSplitAndParse"},
	{n: 61, tests: "tenants/whatsapp.TestTimestamps tenants/whatsapp.TestOddLevelsBecomeOneItem tenants/whatsapp.TestWhatCannotBeReadIsSetAside tenants/ingest.TestRoutes"},
	{n: 62, tests: "tenants/whatsapp.TestLargestBatchWithOnePoisonItem tenants/ingest.TestEachTenantGetsItsOwn tenants/ingest.TestOddItemHarmsNobody"},
	{n: 63, tests: "server.TestEdgeCases tenants/ingest.TestRoutes tenants/ingest.TestAdopt tenants/numbers.TestConnectAdoptsWhatWasHeld"},
	{n: 64, tests: "server.TestEdgeCases tenants/identity.TestOrderDoesNotMatter tenants/identity.TestAMergeMeansWhoHadThePhoneThen"},
	{n: 65, tests: "server.TestEdgeCases server.TestEveryKindInAnyOrder tenants/conversations.TestFailedMessagesAnswerNobody", partly: "kinds in any order; nothing comes seven days late"},
	{n: 66, tests: "tenants/whatsapp.TestTimestamps tenants/conversations.TestInboxWindowIsTheComposers server.TestEveryKindInAnyOrder"},
	{n: 67, tests: "server.TestNearlyRightIsRefused server.TestEdgeCases tenants/privacy.TestConsentNewestCountsAndNothingRaisesIt"},
	{n: 68, tests: "server.TestAFloodOfUnknownAppsHoldsUpNobody server.TestDeliveriesDoNotWaitForPages", partly: "the limits, not two thousand requests a second; how much is logged is not measured"},
	{n: 69, why: "five hundred slow connections take longer than a test may; server.go ends a request that is not read within ten seconds"},

	// F. What is stored, in pages, files and logs
	{n: 70, tests: "server.TestHostileTextStaysText server.TestTalkShowsEveryKindSafely", partly: "twenty patterns, searched for in pages; no browser watches for what runs"},
	{n: 71, tests: "server.TestHostileTextStaysText server.TestNothingRawInPages server.TestHeadersOnEveryRoute views/layout.TestPageKeepsToTheContentPolicy"},
	{n: 72, tests: "server.TestHostileTextStaysText", partly: "that odd characters stay text; layout and look-alikes of customers' names are not shown"},
	{n: 73, tests: "server.TestTalkShowsEveryKindSafely tenants/whatsapp.TestMediaKeepsTokenWithMeta", partly: "files are passed on unopened, so bombs in them are the reader's"},
	{n: 74, tests: "tenants/imports.TestNoCellIsAFormula tenants/imports.FuzzDefuse server.TestExportSurvivesTheRoundTrip"},
	{n: 75, tests: "tenants/imports.TestRefusesWhatIsNoList tenants/imports.TestReadsWhatSpreadsheetsWrite tenants/imports.TestMemoryDoesNotGrow tenants/imports.TestStoppedHalfWay tenants/imports.TestEveryRowOnceWhateverDies"},
	{n: 76, tests: "tenants/imports.TestConflictsChangeNothing tenants/imports.TestNamesPeopleGaveStay", partly: "a list has no column for consent, tenant or id, so none is tried"},
	{n: 77, tests: "server.TestPhoneFreeNumbersHoldNoPhone tenants/privacy.TestNothingOfAnErasedPersonIsLeft tenants/sandbox.TestErrorsHoldNoToken", partly: "phones and people in logs; line breaks are left to slog"},
	{n: 78, tests: "server.TestErrorsKeepTheirCause server.TestOddValuesEverywhere"},

	// G. What is asked of others
	{n: 79, why: noForwarding},
	{n: 80, why: noForwarding},
	{n: 81, tests: "tenants/whatsapp.TestMediaKeepsTokenWithMeta tenants/sandbox.TestErrorsHoldNoToken", partly: "redirects of Graph and of files; " + noForwarding},
	{n: 82, tests: "tenants/whatsapp.TestMediaKeepsTokenWithMeta", partly: "a file's address with a name before its host, or of plain http; " + noForwarding},
	{n: 83, tests: "tenants/whatsapp.TestMediaKeepsTokenWithMeta tenants/outbox.TestGraphInTrouble tenants/outbox.TestASlowGraphHoldsNobodyUp tenants/outbox.TestGraphThatTakesAndDoesNotAnswer", partly: "files without end and a Graph that is slow or fails; TLS is the standard library's"},
	{n: 84, why: noForwarding},
	{n: 85, tests: "tenants/whatsapp.TestMediaKeepsTokenWithMeta"},
	{n: 86, why: noForwarding},
	{n: 87, tests: "server.TestNothingHoldsASecret tenants/secrets.TestSealedValueOpensNowhereElse tenants/numbers.TestSealedTokensOpenInTheirRowOnly tenants/sandbox.TestErrorsHoldNoToken", partly: "pages, answers and the log; a dump is not searched for tokens"},
	{n: 88, tests: "tenants/numbers.TestTokenRefusedWhileSending tenants/numbers.TestDailyLookAtTokens tenants/numbers.TestReplaceToken"},

	// H. The business's own rules, and races
	{n: 89, tests: "server.TestMergesAtOnce server.TestEdgeCases tenants/identity.TestMergeAndUndoRestoreEverything", partly: "the same two in both directions; A into B beside A into C is not tried"},
	{n: 90, tests: "server.TestEdgeCases tenants/identity.TestRandomHistoriesEndTheSameInAnyOrder", partly: "in any order, not at a rate"},
	{n: 91, tests: "server.TestMergeByHand server.TestAPIHidesAnotherTenant tenants/identity.TestUndoAfterNewMessagesLeavesThemWhereTheyCameIn tenants/identity.TestManySameAtOnceAndBack"},
	{n: 92, tests: "server.TestEdgeCases tenants/privacy.TestConsentNewestCountsAndNothingRaisesIt tenants/privacy.TestTheErasedDoNotComeBackByThemselves"},
	{n: 93, tests: "server.TestDoubleSubmit server.TestAPIWritesOncePerKey server.TestAPIForgetsOldAnswers"},
	{n: 94, tests: "server.TestEditShowsWhatAColleagueChanged server.TestAPIWritesOncePerKey"},
	{n: 95, tests: "tenants/privacy.TestTheErasedDoNotComeBackByThemselves"},
	{n: 96, tests: "server.TestAPIRateLimit", partly: "the API's limit; what one business does to others' times is measured by make bench"},
	{n: 97, tests: "server.TestAPIReadsParametersStrictly server.TestOddInputIsRefused server.TestOddValuesEverywhere tenants/imports.TestMemoryDoesNotGrow", partly: "pages, unlike the API, begin anew for a place in a list that is none"},
	{n: 98, tests: "server.TestOddValuesEverywhere server.TestAPIReadsParametersStrictly", partly: "how long answers take is not asserted"},
	{n: 99, tests: "server.TestOddRequestsOnTheWire", partly: "without a proxy before the server"},
	{n: 100, tests: "server.TestOddFieldNames"},
	{n: 101, tests: "server.TestNothingBesideTheTable"},
	{n: 102, tests: "server.TestHeadersOnEveryRoute server.TestHeadersOnEveryAnswer server.TestWhatTheServerItselfRefuses"},
	{n: 103, why: "the product has no address that takes a signed_request"},
	{n: 104, tests: "server.TestAuditFindsWhatWasChanged server/cmd/pehchan.TestCommandsSetUpABusiness", partly: "chains of two tenants are not swapped"},
}

// testsWritten are the names of all tests of the repository, with the folders they are in.
func testsWritten(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != ".." || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel("..", filepath.Dir(path))
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && (strings.HasPrefix(fn.Name.Name, "Test") || strings.HasPrefix(fn.Name.Name, "Fuzz")) {
				found[filepath.ToSlash(folder)+"."+fn.Name.Name] = true
			}
		}

		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 300 {
		t.Fatalf("found %d tests, the walk is broken", len(found))
	}

	return found
}

// Every case of the attack list has its tests, or says why it has none.
func TestEveryAttackCaseHasItsRow(t *testing.T) {
	t.Parallel()
	written, seen := testsWritten(t), map[int]bool{}
	whole, partly, none := 0, 0, 0
	for _, c := range attackRegister {
		if seen[c.n] || c.n < 1 || c.n > attackCases {
			t.Errorf("case %d stands twice, or is none", c.n)
		}
		seen[c.n] = true
		switch {
		case (c.tests == "") == (c.why == ""), c.why != "" && c.partly != "":
			t.Errorf("case %d: want tests, or else a reason", c.n)
		case c.why != "":
			none++
		case c.partly != "":
			partly++
		default:
			whole++
		}
		for _, name := range strings.Fields(c.tests) {
			if !written[name] {
				t.Errorf("case %d names %s, which there is not", c.n, name)
			}
		}
	}
	for n := 1; n <= attackCases; n++ {
		if !seen[n] {
			t.Errorf("case %d has no row", n)
		}
	}
	t.Logf("%d cases shown, %d partly, %d not automated", whole, partly, none)
}

// Case 52, which cannot be told over HTTP.
func TestSecretsAreComparedInConstantTime(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"hooks.go": "subtle.ConstantTimeCompare(", "forms.go": "hmac.Equal(", "../tenants/whatsapp/signature.go": "hmac.Equal(",
	} {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(source), want) {
			t.Errorf("%s compares secrets without %s", path, strings.TrimSuffix(want, "("))
		}
	}
}

// Case 71: nothing is put into a page as it is.
func TestNothingRawInPages(t *testing.T) {
	t.Parallel()
	pages := 0
	err := filepath.WalkDir("../views", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".templ") {
			return err
		}
		source, err := os.ReadFile(path)
		pages++
		for _, raw := range []string{"templ.Raw", "templ.JSONString", "templ.JSUnsafe", "templ.JSExpression", "templ.SafeCSS", "templ.ComponentScript", "hx-on", "hx-vals=\"js:"} {
			if strings.Contains(string(source), raw) {
				t.Errorf("%s uses %s", path, raw)
			}
		}

		return err
	})
	if err != nil || pages < 30 {
		t.Errorf("read %d pages: %v", pages, err)
	}
}
