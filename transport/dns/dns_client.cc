#include "transport/dns/dns_client.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "transport/io/connection.h"
#include "transport/io/timer.h"
#include "transport/io/udp_socket.h"

namespace waxwing {
namespace {

constexpr Milliseconds kTick{50};
constexpr unsigned kMaxConnections = 3;  // for one message: a server may close an idle one just when it is used again

unsigned octet_at(std::string_view octets, std::size_t offset) {
  return static_cast<unsigned char>(octets[offset]);
}

void set_id(std::string& message, std::uint16_t id) {
  message[0] = static_cast<char>(id >> 8U);
  message[1] = static_cast<char>(id & 0xffU);
}

std::string framed(std::string_view message) {
  std::string octets;
  append_u16(octets, static_cast<std::uint16_t>(message.size()));
  return octets.append(message);
}

}  // namespace

std::uint16_t random_dns_id() {
  std::array<std::uint8_t, 2> octets;
  RAND_bytes(octets.data(), octets.size());
  return static_cast<std::uint16_t>(octets[0] << 8U | octets[1]);
}

// Outlives its client only inside tasks that are posted already; these find `alive` false.
struct DnsClient::State : public std::enable_shared_from_this<State> {
  struct Pending {
    std::string message;
    std::string name;  // of the question
    std::uint16_t type = 0;
    OnReply on_reply;
    MonotonicTime deadline;
    MonotonicTime again;       // when to send the datagram once more
    unsigned connections = 0;  // on which it was sent
  };
  using Waiting = std::map<std::uint16_t, Pending>;
  struct Link {
    std::unique_ptr<UdpSocket> udp;
    std::unique_ptr<Connection> tcp;
    std::string received;  // over TCP, not yet a whole message
    Waiting over_udp;
    Waiting over_tcp;
  };

  State(EventLoop& its_loop, const Options& its_options)
      : loop(its_loop), options(its_options), timer(its_loop, [this] { tick(); }) {}

  void take(const Endpoint& server, DnsCarrier carrier, std::string message, OnReply on_reply, bool keeps_id);
  void send_udp(const Endpoint& server, Link& link, Pending& pending);
  void send_tcp(const Endpoint& server, Link& link, Pending& pending);
  void on_octets(const Endpoint& server, std::string_view octets);
  void on_closed(const Endpoint& server, const std::string& reason);
  void on_message(Waiting& waiting, std::string_view octets);
  void conclude(Waiting& waiting, Waiting::iterator pending, Result<DnsMessage> reply);
  void answer(OnReply on_reply, Result<DnsMessage> reply);
  void tick();

  EventLoop& loop;
  const Options options;
  Timer timer;
  std::map<Endpoint, Link> links;
  bool alive = true;
};

void DnsClient::State::answer(OnReply on_reply, Result<DnsMessage> reply) {
  loop.post([self = shared_from_this(), on_reply = std::move(on_reply), reply = std::move(reply)]() mutable {
    if (self->alive) on_reply(std::move(reply));
  });
}

void DnsClient::State::conclude(Waiting& waiting, Waiting::iterator pending, Result<DnsMessage> reply) {
  OnReply on_reply = std::move(pending->second.on_reply);
  waiting.erase(pending);
  answer(std::move(on_reply), std::move(reply));
}

void DnsClient::State::take(const Endpoint& server, DnsCarrier carrier, std::string message, OnReply on_reply,
                            bool keeps_id) {
  const auto parsed = read_dns_message(message);
  if (!parsed) return answer(std::move(on_reply), fail(ErrorKind::Malformed, "this is no DNS message"));
  Link& link = links[server];
  Waiting& waiting = carrier == DnsCarrier::Udp ? link.over_udp : link.over_tcp;
  std::uint16_t id = keeps_id ? parsed->id : random_dns_id();
  while (!keeps_id && waiting.contains(id)) id = random_dns_id();
  if (waiting.contains(id))
    return answer(std::move(on_reply), fail(ErrorKind::Unavailable, "the identifier is in use"));
  set_id(message, id);
  Pending& pending = waiting[id];
  pending = {std::move(message),
             parsed->name,
             parsed->type,
             std::move(on_reply),
             loop.now() + options.timeout,
             loop.now() + options.retransmission};
  if (!timer.running()) timer.start(kTick);
  if (carrier == DnsCarrier::Tcp) return send_tcp(server, link, pending);
  send_udp(server, link, pending);
}

void DnsClient::State::send_udp(const Endpoint& server, Link& link, Pending& pending) {
  if (!link.udp) {
    auto socket = UdpSocket::connect(
        loop, server, [this, server](std::string_view octets) { on_message(links[server].over_udp, octets); },
        [](const Error&) {});  // a closed port now may be open for the next datagram
    if (!socket) {
      const std::uint16_t id =
          static_cast<std::uint16_t>(octet_at(pending.message, 0) << 8U | octet_at(pending.message, 1));
      conclude(link.over_udp, link.over_udp.find(id), fail(ErrorKind::NotFound, socket.error().detail));
      return;
    }
    link.udp = std::move(*socket);
  }
  link.udp->send(pending.message);
}

void DnsClient::State::send_tcp(const Endpoint& server, Link& link, Pending& pending) {
  if (!link.tcp) {
    link.received.clear();
    link.tcp = Connection::connect(loop, server, std::nullopt);
    Connection::Callbacks callbacks;
    callbacks.on_bytes = [this, server](std::string_view octets) { on_octets(server, octets); };
    callbacks.on_closed = [this, server](const std::optional<Error>& error) {
      on_closed(server, error ? error->detail : "the server closed the connection");
    };
    link.tcp->set_callbacks(std::move(callbacks));
  }
  ++pending.connections;
  link.tcp->write(framed(pending.message));
}

void DnsClient::State::on_octets(const Endpoint& server, std::string_view octets) {
  Link& link = links[server];
  link.received += octets;
  std::string_view rest = link.received;
  while (rest.size() >= 2) {
    const std::size_t size = octet_at(rest, 0) << 8U | octet_at(rest, 1);
    if (rest.size() - 2 < size) break;
    on_message(link.over_tcp, rest.substr(2, size));
    rest.remove_prefix(2 + size);
  }
  link.received.erase(0, link.received.size() - rest.size());
}

// What waited on the connection goes over a new one, a few times.
void DnsClient::State::on_closed(const Endpoint& server, const std::string& reason) {
  Link& link = links[server];
  link.tcp.reset();
  std::vector<std::uint16_t> given_up;
  std::vector<std::uint16_t> again;
  for (const auto& [id, pending] : link.over_tcp)
    (pending.connections < kMaxConnections ? again : given_up).push_back(id);
  for (const std::uint16_t id : given_up) {
    conclude(link.over_tcp, link.over_tcp.find(id),
             fail(ErrorKind::Unavailable, fmt::format("{} over TCP: {}", server.str(), reason)));
  }
  for (const std::uint16_t id : again) send_tcp(server, link, link.over_tcp.at(id));
}

void DnsClient::State::on_message(Waiting& waiting, std::string_view octets) {
  auto message = read_dns_message(std::string(octets));
  if (!message || !message->has(dns::kFlagResponse)) return;
  const auto pending = waiting.find(message->id);
  if (pending == waiting.end()) return;
  // Servers that refuse may leave the question out.
  const bool ours =
      !message->has_question || (message->name == pending->second.name && message->type == pending->second.type);
  if (!ours || (!message->has_question && message->rcode() == dns::kNoError)) return;
  conclude(waiting, pending, std::move(*message));
}

void DnsClient::State::tick() {
  bool busy = false;
  for (auto& [server, link] : links) {
    for (Waiting* waiting : {&link.over_udp, &link.over_tcp}) {
      for (auto next = waiting->begin(); next != waiting->end();) {
        const auto pending = next++;
        if (loop.now() >= pending->second.deadline) {
          const std::string_view carrier = waiting == &link.over_udp ? "UDP" : "TCP";
          conclude(*waiting, pending,
                   fail(ErrorKind::Unavailable, fmt::format("{} does not answer over {}", server.str(), carrier)));
          continue;
        }
        busy = true;
        if (waiting != &link.over_udp || loop.now() < pending->second.again) continue;
        pending->second.again = loop.now() + options.retransmission;
        send_udp(server, link, pending->second);
      }
    }
  }
  if (busy) timer.start(kTick);
}

DnsClient::DnsClient(EventLoop& loop, Options options) : state_(std::make_shared<State>(loop, options)) {}

DnsClient::~DnsClient() {
  state_->alive = false;
  state_->timer.stop();
  state_->links.clear();
}

void DnsClient::ask(const Endpoint& server, DnsCarrier carrier, std::string query, OnReply on_reply) {
  state_->take(server, carrier, std::move(query), std::move(on_reply), false);
}

void DnsClient::send(const Endpoint& server, std::string message, OnReply on_reply) {
  state_->take(server, DnsCarrier::Tcp, std::move(message), std::move(on_reply), true);
}

}  // namespace waxwing
