import { defineJob, defineWorkflow, referenceWorkload, type Workload } from "../../../dev/mod.ts";

/** The recipe of the image of a single case, which takes about four seconds. */
export const SINGLE: Record<string, string> = {
  "order.yaml": `
name: Order is paid and shipped
steps:
  - id: email
    enqueue: send-email
    payload: { to: ada@example.com, subject: Welcome }
  - wait: email
  - id: order
    start: order-payment
    input: { order_id: ORD-7 }
  - parallel:
      - wait: order
      - sleep: 4s
    soft: true
    within: 5s
  - assert: email.state == "completed"
`,
};

/** The recipes of the images of several cases, besides those in the folder `recipes`. */
export const SEVERAL: Record<string, string> = {
  "flaky.yaml": `
name: Email arrives
steps:
  - id: email
    enqueue: send-receipt
    payload: { to: ada@example.com }
  - id: read
    name: read the email
    get: email
    expect: { read.state: completed }
    retry: { attempts: 5, backoff: 120ms }
`,
  "image.yaml": `name: Image is processed
steps:
  - id: image
    enqueue: process-image
    payload: { file: 1.png, width: 800 }
  - wait: image
  - expect:
      image.payload: { file: 1.png, width: 640 }
`,
  "nap.yaml": `
name: Nightly batch
matrix: { region: [eu, us] }
steps:
  - id: nap
    start: sleeper
    input: { ms: 2800 }
  - wait: nap
    until: completed
`,
  "slow-shipping.yaml": `
name: Slow shipping
steps:
  - log: the goods are reserved
  - sleep: 3500ms
  - assert: true
`,
  "stock.yaml": `
name: Stock is counted
steps:
  - id: job
    enqueue: sleep
    payload: { ms: 4200 }
  - wait: job
`,
};

/** The recipes of the images of the HTML report. */
export const SHOP: Record<string, string> = {
  "checkout.yaml": `
name: Checkout
tags: [orders, payments]
steps:
  - id: email
    name: send the receipt
    enqueue: send-receipt
    payload: { to: ada@example.com }
  - id: order
    start: order-payment
    input: { order_id: ORD-7 }
  - parallel:
      - wait: email
      - id: receipt
        name: read the receipt
        get: email
        expect: { receipt.state: completed }
        retry: { attempts: 5, backoff: 120ms }
  - publish: payment-received
    payload: { order_id: ORD-7 }
  - wait: order
    until: completed
  - id: parcel
    start: fulfilment
    input: { order_id: ORD-7 }
  - wait: parcel
    until: completed
  - assert:
      - order.state == "completed"
      - parcel.state == "completed"
always:
  - cancel: email
    if: email.state != "completed"
`,
  "dead.yaml": `
name: Dead letters
tags: [jobs, failures]
steps:
  - id: bad
    enqueue: always-fails
    payload: { reason: demo }
  - wait: bad
    until: failed
`,
  "nothing.yaml": `
name: Warm up
steps:
  - sleep: 130ms
`,
  "pipeline.yaml": `
name: Nightly pipeline
tags: [orders, nightly]
matrix: { region: [eu-west, us-east, ap-south] }
steps:
  - id: batch
    start: nightly-pipeline
    input: { region: "\${{ matrix.region }}" }
  - wait: batch
    until: completed
`,
  "refund.yaml": `
name: Refund reaches the customer
tags: [payments]
steps:
  - id: job
    enqueue: send-receipt
    payload: { to: ada@example.com, subject: Your refund, items: [{ sku: A-7, price: 12.5 }] }
  - wait: job
  - expect: { job.priority: 5 }
    soft: true
  - expect:
      job.payload:
        to: ada@example.com
        subject: Your refund
        items: [{ sku: A-7, price: 10 }]
`,
  "stuck.yaml": `
name: Payment is never made
tags: [payments]
steps:
  - id: order
    start: order-payment
    input: { order_id: ORD-8 }
  - wait: order
    until: completed
    within: 700ms
`,
  "unknown.yaml": `
name: Retention report
tags: [nightly]
steps:
  - call: reports.retention
  - assert: true
`,
};

const PIPELINE_MS: Readonly<Record<string, number>> = {
  "eu-west": 100,
  "us-east": 210,
  "ap-south": 95,
};

/** The workload of the development server, with a job and workflows that take some time. */
export function workload(): Workload {
  const { jobs = [], workflows = [], ...rest } = referenceWorkload();
  return {
    ...rest,
    jobs: [...jobs, defineJob("send-receipt", (_, { sleep }) => sleep(180))],
    workflows: [
      ...workflows,
      defineWorkflow("nightly-pipeline", async (wf, { region }: { region: string }) => {
        for (const name of ["extract", "transform", "load"]) {
          await wf.step(name, ({ sleep }) => sleep(PIPELINE_MS[region] ?? 100));
        }
      }),
      defineWorkflow("fulfilment", async (wf) => {
        await wf.step("reserve-stock", ({ sleep }) => sleep(140));
        await wf.step("charge-card", ({ sleep }) => sleep(300));
        await wf.step("print-label", ({ sleep }) => sleep(90));
        await wf.step("hand-to-courier", ({ sleep }) => sleep(420));
      }),
    ],
  };
}
