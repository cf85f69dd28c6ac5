#include "relay/admin/tls_commands.h"

#include <nlohmann/json.hpp>
#include <string>

#include "relay/admin/reply_lines.h"
#include "relay/store/proven_tls_store.h"

namespace waxwing {
Result<AdminReply> tls_list(AdminRequest& request, SqliteQueueStore& store) {
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  const auto entries = store.proven_tls().list();
  if (!entries) return tl::unexpected(entries.error());
  AdminReply reply;
  for (const ProvenTlsStore::Entry& entry : *entries) {
    add_line(reply, {{"domain", entry.domain},
                     {"method", entry.remembered.method},
                     {"first_proven", rfc3339_text(entry.remembered.first_proven)},
                     {"last_proven", rfc3339_text(entry.remembered.last_proven)}});
  }
  return reply;
}

Result<AdminReply> tls_forget(AdminRequest& request, SqliteQueueStore& store) {
  const auto domain = DomainName::parse(request.text("domain"));
  if (!domain) request.refuse("\"domain\" is not a domain name");
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  if (auto forgotten = store.proven_tls().forget(*domain); !forgotten) return tl::unexpected(forgotten.error());
  AdminReply reply;
  add_line(reply, {{"domain", domain->str()}});
  reply.effects.plans_are_stale = true;
  return reply;
}

}  // namespace waxwing
