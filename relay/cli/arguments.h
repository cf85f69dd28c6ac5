#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "relay/cli/egress_commands.h"
#include "relay/cli/key_commands.h"
#include "relay/cli/key_import.h"
#include "relay/cli/output.h"
#include "relay/cli/queue_commands.h"
#include "relay/cli/quota_commands.h"
#include "relay/cli/rotation_commands.h"
#include "relay/cli/salvage_command.h"
#include "relay/cli/suppression_commands.h"
#include "relay/cli/verify_command.h"

namespace waxwing {

/// What the words of the command line ask for.
enum class Command {
  KeysCreate,
  KeysList,
  KeysShow,
  KeysDns,
  KeysPublish,
  KeysConfirm,
  KeysCheck,
  KeysPlan,
  KeysRotate,
  KeysRevoke,
  KeysReveal,
  KeysLog,
  KeysSeal,
  KeysExport,
  KeysImportPem,
  KeysImportOpenDkim,
  KeysImportRspamd,
  KeysImportExim,
  QueueList,
  QueueShow,
  QueueExport,
  QueueRetry,
  QueueHold,
  QueueRelease,
  QueueBounce,
  QueueDrop,
  QueueIds,
  QueueSalvage,
  Top,
  AuditList,
  Explain,
  ProbeSmtp,
  ProbeDane,
  ProbeMtaSts,
  CheckConfig,
  CheckDomain,
  Verify,
  ConfigExplain,
  AccountAdd,
  AccountPasswd,
  AccountHash,
  AccountList,
  AccountShow,
  AccountLimit,
  AccountHold,
  AccountRelease,
  AccountToken,
  AccountRevoke,
  AccountCertificates,
  TenantAdd,
  TenantList,
  TenantShow,
  TenantLimit,
  TenantHold,
  TenantRelease,
  ReportTlsList,
  ReportTlsSend,
  ReportTlsShow,
  SuppressionList,
  SuppressionAdd,
  SuppressionRemove,
  SuppressionImport,
  SuppressionExport,
  EgressList,
  EgressPause,
  EgressResume,
  TlsList,
  TlsForget,
};

/// The command line, taken apart; fields that the command does not use have their defaults.
struct Arguments {
  Command command = Command::QueueList;
  std::string config_path = "/etc/waxwing/waxwing.toml";
  OutputFormat format = OutputFormat::Text;
  KeyCreation key;                        ///< keys create; domain and selector also of keys dns, export
  KeySource key_source;                   ///< keys import
  bool dry_run = false;                   ///< keys import, export
  std::string former_file;                ///< keys seal
  RotationOrder rotation;                 ///< keys show, publish, confirm, check, plan, rotate, revoke, reveal, log
  std::string record_format;              ///< keys dns
  QueueSelection selection;               ///< queue list, show, export, retry, hold, release, bounce, drop
  std::string reason;                     ///< queue retry, hold, release, bounce, drop; account hold, tenant hold
  std::string domain;                     ///< report tls, tls forget: of recipients
  std::size_t limit = 10'000;             ///< queue list, ids: messages; audit list: entries
  SalvageOrder salvage;                   ///< queue salvage
  bool once = false;                      ///< top
  std::string address;                    ///< explain
  std::string probed_domain;              ///< probe
  std::string sending_domain;             ///< check domain
  MessageToVerify message;                ///< verify
  std::string option;                     ///< config explain
  std::string account;                    ///< account …, tenant …: name
  std::optional<std::uint32_t> uid;       ///< account add, explain
  LimitChange limit_change;               ///< account limit, tenant limit
  std::string tenant;                     ///< account add
  std::vector<std::string> senders;       ///< account add
  std::vector<std::string> certificates;  ///< account add, certificates
  std::string password_file;              ///< account add, passwd
  SuppressionOrder suppression;           ///< suppression …
  EgressOrder egress;                     ///< egress …
  std::string day;                        ///< report tls send, show
};

/// Why there is nothing to run: help or the version was asked for, or the command line is wrong.
struct ArgumentsExit {
  int status = 0;   ///< 0 or EX_USAGE
  std::string out;  ///< for standard output
  std::string err;  ///< for standard error
};

/// Takes the command line apart.
/// @param words  without the name of the program
[[nodiscard]] tl::expected<Arguments, ArgumentsExit> parse_arguments(const std::vector<std::string>& words);

/// All commands as they are typed ("keys create"), for tests of the man page and the completion.
[[nodiscard]] std::vector<std::string> command_words();

/// The options of a command as they are typed ("--json"), without --help; ditto.
[[nodiscard]] std::vector<std::string> command_options(const std::string& command);

}  // namespace waxwing
