#include "relay/admin/needed_keys.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "relay/admin/admin_request.h"
#include "relay/admin/control_protocol.h"
#include "relay/admin/request_socket.h"
#include "relay/store/queue_reader.h"
#include "signer/named_keys.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

constexpr const char* kCommand = "needed keys";
constexpr std::size_t kMaxQuestionOctets = 1'024;

std::string needed_keys_path(const std::string& run_directory) {
  return run_directory + "/needed-keys";
}

Result<AdminReply> run_needed_keys(std::string_view line, const std::string& state_directory) {
  const auto question = parse_request(line);
  if (!question) return tl::unexpected(question.error());
  AdminRequest request(*question);
  if (request.text("command") != kCommand) request.refuse("this socket answers \"needed keys\" only");
  if (auto wrong = request.finish(); !wrong) return tl::unexpected(wrong.error());
  const auto names = read_needed_keys(state_directory);
  if (!names) return tl::unexpected(names.error());
  AdminReply reply;
  for (const std::string& name : *names) {
    reply.lines.push_back(Json{{"key", name}}.dump());
    reply.octets += reply.lines.back().size();
  }
  return reply;
}

Result<NeededKeys> ask_relay(RequestSocket& socket) {
  std::vector<Json> lines;
  const auto end = socket.ask({{"command", kCommand}}, lines);
  if (!end) return tl::unexpected(end.error());
  if (end->error) return tl::unexpected(*end->error);
  NeededKeys names;
  for (const Json& line : lines) {
    const auto key = line.find("key");
    if (key == line.end() || !key->is_string())
      return fail(ErrorKind::Malformed, "the running waxwingd answers with something else than keys");
    names.insert(key->get<std::string>());
  }
  return names;
}

}  // namespace

Result<NeededKeys> read_needed_keys(const std::string& state_directory) {
  auto reader = QueueReader::open(state_directory);
  if (!reader) return tl::unexpected(reader.error());
  NeededKeys names;
  const auto read = reader->visit_headers([&names](std::string_view header) { add_named_keys(header, names); });
  if (!read) return tl::unexpected(read.error());
  return names;
}

std::string answer_needed_keys(std::string_view request, const std::string& state_directory) {
  return reply_text(run_needed_keys(request, state_directory));
}

std::string answer_later() {
  return reply_text(fail(ErrorKind::Unavailable, "waxwingd has too many questions to answer now; ask again"));
}

Result<std::unique_ptr<LocalRequestServer>> open_needed_keys_server(EventLoop& loop, const std::string& run_directory,
                                                                    std::optional<uid_t> keeper,
                                                                    LocalRequestServer::Handle handle) {
  LocalRequestServer::Options options;
  options.path = needed_keys_path(run_directory);
  options.max_request_octets = kMaxQuestionOctets;
  options.also_heard = keeper;
  options.denied_answer =
      reply_text(fail(ErrorKind::Denied, "only root, the user of waxwingd and signer.user may ask for needed keys"));
  options.too_long_answer = reply_text(fail(ErrorKind::Malformed, "the request is longer than 1 KiB"));
  return LocalRequestServer::open(loop, std::move(options), std::move(handle));
}

Result<NeededKeys> find_needed_keys(const std::string& run_directory, const std::string& state_directory) {
  RequestSocket socket;
  const int connected = socket.connect(needed_keys_path(run_directory));
  if (connected == 0) return ask_relay(socket);
  const std::string store = state_directory + "/queue.db";
  if (::access(store.c_str(), R_OK) == 0) return read_needed_keys(state_directory);
  if (errno == ENOENT) return NeededKeys();
  return fail(ErrorKind::Denied,
              fmt::format("whether queued mail still needs an old key is not known: no waxwingd answers in {}, and {} "
                          "cannot be read: {}; start waxwingd",
                          run_directory, store, std::generic_category().message(errno)));
}

}  // namespace waxwing
