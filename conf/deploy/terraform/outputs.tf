output "secret_arn" {
  description = "For auth in Sluice, for example value_secret with #api_key_value behind it."
  value       = aws_cloudwatch_event_connection.sluice.secret_arn
}

output "dead_letter_queue" {
  description = "For sluice redrive."
  value       = aws_sqs_queue.dead_letters.url
}

output "rule_name" {
  description = "For sluice doctor --aws --rule BUS/NAME."
  value       = "${local.bus}/${aws_cloudwatch_event_rule.sluice.name}"
}

output "policy_arn" {
  description = "What Sluice reads."
  value       = aws_iam_policy.sluice.arn
}
