"""What the estimates mean for a claim: verdicts by rules that were fixed before the data spoke."""
