#pragma once

#include <string>
#include <vector>

#include "keys/audit_log.h"
#include "keys/rotation_plan.h"
#include "relay/cli/output.h"
#include "relay/rotation/rotation_driver.h"

namespace waxwing {

// How the life of keys is printed: lines for people, objects for programs.

/// "sender.example w20260131: pending -> published, since …: …".
[[nodiscard]] std::string transition_line(const DomainName& domain, const KeyTransition& transition);

void print_transitions(const DomainName& domain, const std::vector<KeyTransition>& transitions, Output& output);

/// What was done for a domain, or would be.
void print_progress(const DomainProgress& progress, bool dry_run, Output& output);

void print_event(const DomainName& domain, const PlannedEvent& event, Output& output);

void print_entry(const DomainName& domain, const AuditEntry& entry, Output& output);

/// One line for each key that lives, as `keys list` prints them.
void print_state_lines(const RotationState& state, Output& output);

/// All keys of a domain, and what is to come.
void print_state(const RotationState& state, const RotationRules& rules, Output& output);

}  // namespace waxwing
