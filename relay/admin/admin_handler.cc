#include "relay/admin/admin_handler.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "relay/admin/control_protocol.h"

namespace waxwing {
namespace {

// A request on its way to the store thread and back; one thread after the other has it.
struct Errand {
  nlohmann::json request;
  WallTime now;
  AdminContext context;
  Result<AdminReply> reply = AdminReply{};
  std::uint64_t held = 0;
};

Result<void> work_on(Errand& errand, SqliteQueueStore& store) {
  if (is_live_command(errand.request)) {
    const auto held = store.held_count();
    if (!held) return tl::unexpected(held.error());
    errand.held = *held;
    return {};
  }
  errand.reply = run_admin_command(errand.request, store, errand.now, errand.context);
  if (!errand.reply) return tl::unexpected(errand.reply.error());
  return {};
}

void answer(Errand& errand, const AdminServices& services, const LocalRequestServer::Respond& respond) {
  if (errand.reply && is_live_command(errand.request))
    errand.reply = run_live_command(errand.request, services.live, errand.held);
  if (errand.reply) services.on_effects(errand.reply->effects);
  respond(reply_text(errand.reply));
}

}  // namespace

LocalRequestServer::Handle admin_handler(AdminServices services) {
  return [shared = std::make_shared<const AdminServices>(std::move(services))](const LocalRequest& asked,
                                                                               LocalRequestServer::Respond respond) {
    auto request = parse_request(asked.line);
    if (!request) return respond(reply_text(tl::unexpected(std::move(request.error()))));
    auto errand = std::make_shared<Errand>(
        Errand{std::move(*request), shared->loop.wall_now(), shared->context, AdminReply{}, 0});
    errand->context.uid = asked.peer_uid;
    shared->store.run([errand](SqliteQueueStore& store) { return work_on(*errand, store); },
                      [shared, errand, respond = std::move(respond)](Result<void> done) {
                        if (!done) errand->reply = tl::unexpected(std::move(done.error()));
                        shared->loop.post([shared, errand, respond] { answer(*errand, *shared, respond); });
                      });
  };
}

}  // namespace waxwing
